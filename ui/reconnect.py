"""Draws the page anew when the browser has found the server again.

A click inside a fragment is lost on a server that has restarted: it has never drawn that fragment, and Streamlit 1.67
asks for the page again by itself only where the last thing drawn was a fragment. Leaves out the editor's text, which
stores itself (``ui.widgets.editor``).
"""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
export default function ({ setTriggerValue }) {
  const app = document.querySelector("[data-test-connection-state]")
  const connected = () => app.dataset.testConnectionState === "CONNECTED"
  let away = !connected()
  const watch = new MutationObserver(() => {
    if (away && connected()) setTriggerValue("again", Date.now())
    away = !connected()
  })
  watch.observe(app, { attributeFilter: ["data-test-connection-state"] })
  return () => watch.disconnect()
}
"""

_component = st.components.v2.component("course_reconnect", js=_SCRIPT)


def watch() -> None:
    """Mount the watcher; it shows nothing."""
    _component(key="reconnect", on_again_change=lambda: None)
