"""The script that Streamlit runs: page frame and navigation. Each page is a file of ui/pages."""

from __future__ import annotations

import streamlit as st

from ui import links, look

look.frame()
page = st.navigation(links.menu(), position="top")
links.tell_the_browser(page)
page.run()
