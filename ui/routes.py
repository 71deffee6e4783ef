"""HTTP routes beside the pages: whether the process lives, whether it can serve, and the drafts of the editor."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from progress.database import DatabaseFault
from ui import drafts_route, session

log = logging.getLogger("course.app")


async def health(_request: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def ready(_request: Request) -> JSONResponse:
    """The database can be read; and whether worker and compute process live, which pages survive without."""
    found = await asyncio.to_thread(_look)
    return JSONResponse(found, status_code=200 if found["database"] else 503)


def _look() -> dict[str, bool]:
    compute = session.settings().compute_socket.exists()
    return {"database": _database_answers(), "worker": session.queue().alive(), "compute": compute}


def _database_answers() -> bool:
    try:
        with session.database().reading() as rows:
            return bool(rows.execute(text("select 1")).scalar_one() == 1)
    except DatabaseFault as fault:
        log.warning("the database does not answer: %s", fault)
        return False


ROUTES = [Route("/health", health), Route("/ready", ready), *drafts_route.ROUTES]
