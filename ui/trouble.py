"""What a visitor reads when a page fails: one sentence, never a traceback. Streamlit has logged the failure before."""

from __future__ import annotations

import streamlit as st

from progress.database import DatabaseFault

OURS = "На странице ошибка — наша, не ваша. Она записана в журнал; обновите страницу. Сохранённое цело."


def say(problem: Exception) -> bool:
    """Show a sentence for an uncaught exception of a page or a widget; True: Streamlit need not show its own."""
    if isinstance(problem, DatabaseFault):
        st.error(str(problem), icon=":material/database:")
    else:
        st.error(OURS, icon=":material/report:")
    return True
