"""Where everything is: the pages of the navigation and the addresses of lessons, blocks and exercises.

A link inside the course is a widget (``st.page_link``), so that the session and the page's state survive the click.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import Page

from demos.finetuning.spec import RunSpec
from demos.params import describe
from ui import session

HOME, LESSON, EXERCISE = "pages/home.py", "pages/lesson.py", "pages/exercise.py"
PROGRESS, INSTRUCTOR = "pages/progress.py", "pages/instructor.py"
LEARNER, CLAIMS, DEMO = "pages/learner.py", "pages/claims.py", "pages/demo.py"
RUNS, RUN, NEW_RUN = "pages/runs.py", "pages/run.py", "pages/new_run.py"
ADAPTERS = "pages/adapters.py"
REVIEW, GLOSSARY, CLINIC = "pages/review.py", "pages/glossary.py", "pages/clinic.py"
CHOOSE, SHEET = "pages/choose.py", "pages/sheet.py"


def menu() -> dict[str, list[Page]]:
    """Every page, in the order of the menu: those of every day stand open, the rest by what they are for.

    Hidden ones are reached by links and addresses.
    """
    return {
        "": [
            st.Page(HOME, title="Карта курса", icon=":material/map:", default=True),
            st.Page(LESSON, title="Урок", icon=":material/auto_stories:", url_path="lesson"),
            st.Page(DEMO, title="Демонстрации", icon=":material/science:", url_path="demo"),
            st.Page(PROGRESS, title="Мой прогресс", icon=":material/task_alt:", url_path="progress"),
            st.Page(INSTRUCTOR, title="Преподаватель", icon=":material/school:", url_path="instructor"),
            st.Page(RUN, title="Запуск", url_path="run", visibility="hidden"),
            st.Page(NEW_RUN, title="Новый запуск", url_path="new_run", visibility="hidden"),
            st.Page(LEARNER, title="Ученик", url_path="learner", visibility="hidden"),
            st.Page(SHEET, title="Шпаргалка", url_path="sheet", visibility="hidden"),
            st.Page(CLAIMS, title="Проверка источников", url_path="claims", visibility="hidden"),
        ],
        "Практика": [
            st.Page(EXERCISE, title="Упражнение", icon=":material/code:", url_path="exercise"),
            st.Page(RUNS, title="Мои запуски", icon=":material/monitoring:", url_path="runs"),
            st.Page(ADAPTERS, title="Адаптеры", icon=":material/extension:", url_path="adapters"),
        ],
        "Под рукой": [
            st.Page(REVIEW, title="Повторение", icon=":material/history_edu:", url_path="review"),
            st.Page(CHOOSE, title="Что выбрать", icon=":material/alt_route:", url_path="choose"),
            st.Page(GLOSSARY, title="Словарь", icon=":material/menu_book:", url_path="glossary"),
            st.Page(CLINIC, title="Скорая помощь", icon=":material/healing:", url_path="clinic"),
        ],
    }


def lesson(lesson_id: str, block: str = "") -> dict[str, str]:
    """Query of a lesson's page, at a block or where the learner stopped."""
    return {"id": lesson_id, "block": block} if block else {"id": lesson_id}


def exercise(slug: str) -> dict[str, str]:
    """Query of an exercise's page."""
    return {"id": slug}


def run(number: int) -> dict[str, str]:
    """Query of a run's page."""
    return {"id": str(number)}


def recipe(spec: RunSpec, dataset: int | None = None) -> dict[str, str]:
    """Query of the page that starts a run: what differs from the defaults, and the learner's own data."""
    values = {item.name: (getattr(spec, item.name), item.default) for item in describe(RunSpec)}
    said = {name: _written(value) for name, (value, default) in values.items() if value != default}
    return said if dataset is None else {**said, "dataset": str(dataset)}


def _written(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def go(label: str, page: str, query: Mapping[str, str] | None = None, *, icon: str | None = None) -> None:
    """A link to a page of the course."""
    st.page_link(page, label=label, query_params=dict(query or {}), icon=icon)


def tell_the_browser(page: Page) -> None:
    """Bring the address up to date: Streamlit leaves it alone when a link leads to the page that it stands on."""
    if session.recall("page", "") == page.url_path:  # another page's address the browser finds by itself
        st.query_params.update()
    session.remember("page", page.url_path)


def lost(sentence: str) -> None:
    """One clear sentence for an address that leads nowhere, and a way back."""
    st.markdown(f"#### {sentence}")
    st.page_link(HOME, label="Вернуться к карте курса", icon=":material/map:")
