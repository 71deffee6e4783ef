"""The server: the Streamlit app with its HTTP routes, started by ``python app.py`` or by the launcher.

Leaves out the pages (``ui``) and everything slow: grading and heavy demos run in processes of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from typing import Any

import streamlit as st

import settings
from ui import routes, trouble, warm

COLLECT_EVERY = 30.0
"""Seconds between collections. Streamlit would collect after every click, at 46-122 ms of everybody's time."""


@contextlib.asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Import and load what pages need, put it out of the collector's sight, then collect on a clock."""
    await asyncio.to_thread(warm.up)
    gc.collect()
    gc.freeze()
    collector = asyncio.create_task(_collect_regularly())
    yield None
    collector.cancel()


async def _collect_regularly() -> None:
    while True:
        await asyncio.sleep(COLLECT_EVERY)
        gc.collect()


app = st.App("ui/main.py", routes=routes.ROUTES, lifespan=lifespan, on_script_error=trouble.say)

if __name__ == "__main__":
    chosen = settings.current()
    app.run(config={"server.address": chosen.host, "server.port": chosen.port})
