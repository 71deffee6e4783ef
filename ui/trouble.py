"""What a visitor reads when a page fails: one sentence, never a traceback. Streamlit has logged the failure before."""

from __future__ import annotations

import streamlit as st

from progress.database import DatabaseFault

OURS = "На странице ошибка — наша, не ваша. Она записана в журнал; обновите страницу. Сохранённое цело."


def say(problem: Exception) -> bool:
    """Show a sentence for an uncaught exception of a page or a widget; True: Streamlit need not show its own."""
    sentence, icon = (str(problem), "database") if isinstance(problem, DatabaseFault) else (OURS, "report")
    st.error(sentence, icon=f":material/{icon}:")
    # What fails in a widget's callback is told at the top of the page, which may be out of sight.
    st.toast(sentence, icon=f":material/{icon}:", duration="long")
    return True
