"""HTTP routes beside the pages: whether the process lives, whether it can serve, and the drafts of the editor."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ui import session


async def health(_request: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def ready(_request: Request) -> JSONResponse:
    """The database can be read; and whether the compute process listens, which pages survive without."""
    database, compute = await asyncio.to_thread(_database_answers), session.settings().compute_socket.exists()
    body = {"status": "ok" if database else "unavailable", "database": database, "compute": compute}
    return JSONResponse(body, status_code=200 if database else 503)


def _database_answers() -> bool:
    with session.database().reading() as rows:
        return bool(rows.execute(text("select 1")).scalar_one() == 1)


ROUTES = [Route("/health", health), Route("/ready", ready)]
