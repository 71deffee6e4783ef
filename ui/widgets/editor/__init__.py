"""The code editor: a component around CodeMirror, and a plain text field for those who prefer one.

The component stores drafts itself (``ui.drafts_route``); this module hands it the text and takes what its buttons send:
always what is on the screen. Leaves out running and grading (``ui.pages.exercise``).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from graders.submission import LARGEST, LARGEST_NOTEBOOK
from ui import drafts_route, session

Press = Literal["run", "submit", "upload"]

_FOLDER = Path(__file__).parent
_LOADER = """
export default function (component) {
  // The bundle is large: the browser fetches it once, by its own address, instead of with every page.
  let leave = null, gone = false
  import(new URL(component.data.bundle, document.baseURI))
    .then(editor => { if (!gone) leave = editor.mount(component) })
    .catch(() => {
      const state = component.parentElement.querySelector("[data-part=state]")
      state.textContent = "Редактор не загрузился: обновите страницу или включите простое поле над ним."
    })
  return () => { gone = true; leave?.() }
}
"""

_component = st.components.v2.component(
    "course_editor",
    html=(_FOLDER / "editor.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "editor.css").read_text(encoding="utf-8"),
    js=_LOADER,
)


@dataclass(frozen=True, slots=True)
class Text:
    """What the editor opens with."""

    exercise: str
    title: str
    source: str
    starter: str
    revision: int


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of the editor, with what was on the screen."""

    press: Press
    source: str = ""
    filename: str = ""
    content: bytes = b""  # of an uploaded file


def rich(text: Text, *, busy: bool, version: int) -> Pressed | None:
    """The editor; ``version`` changes when ``text.source`` shall replace what is on the screen."""
    result = _component(
        key=f"editor-{text.exercise}",
        data={
            "exercise": text.exercise,
            "text": text.source,
            "starter": text.starter,
            "revision": text.revision,
            "version": version,
            "busy": busy,
            "label": f"Код решения: {text.title}",
            "limit": LARGEST,
            "tooLarge": too_large(),
            "notebookLimit": LARGEST_NOTEBOOK,
            "notebookTooLarge": notebook_too_large(),
            "token": drafts_route.token(session.actor()),
            "bundle": drafts_route.bundle_address(),
        },
        on_run_change=_nothing,
        on_submit_change=_nothing,
        on_upload_change=_nothing,
    )
    if result.run:
        return Pressed("run", str(result.run["source"]))
    if result.submit:
        return Pressed("submit", str(result.submit["source"]))
    return _uploaded(result.upload) if result.upload else None


def plain(text: Text, *, busy: bool, version: int) -> Pressed | None:
    """A plain text field. It stores its text when it loses focus, and says so."""
    key = f"plain-{text.exercise}-{version}"
    source = st.text_area(f"Код решения: {text.title}", text.source, height=420, key=key, max_chars=LARGEST)
    st.caption("Простое поле сохраняет текст, когда вы из него выходите: нажмите Ctrl+Enter или щёлкните рядом.")
    with st.container(horizontal=True):
        run = st.button("Запустить", key=f"plain-run-{text.exercise}", disabled=busy)
        submit = st.button("Отправить на проверку", type="primary", key=f"plain-submit-{text.exercise}", disabled=busy)
    if run or submit:
        return Pressed("run" if run else "submit", source)
    return None


def plain_text(text: Text, version: int) -> str:
    """What stands in the plain field now."""
    return str(session.recall(f"plain-{text.exercise}-{version}", text.source))


def too_large() -> str:
    """The sentence for a file over the limit."""
    return f"Файл больше {LARGEST // 1024} КиБ: решение столько не занимает. Пришлите только код."


def notebook_too_large() -> str:
    """The sentence for a notebook over the limit."""
    return f"Тетрадка больше {LARGEST_NOTEBOOK >> 20} МиБ: очистите вывод ячеек и загрузите её снова."


def _uploaded(sent: Mapping[str, Any]) -> Pressed | None:
    try:
        content = base64.b64decode(str(sent["base64"]), validate=True)
    except (binascii.Error, KeyError):
        return None
    return Pressed("upload", filename=str(sent.get("name", "")), content=content)


def _nothing() -> None:
    """A callback that only makes the component's trigger known to Streamlit."""
