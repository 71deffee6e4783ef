"""Drafts over HTTP: the editor stores its text here without a rerun of the page; and the editor's own bundle.

A request must carry the token that the page gave to this visitor's editor, in a header that a foreign site cannot send
without asking first. Leaves out reading drafts: the page does that.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from graders.submission import LARGEST
from progress import learning
from progress.database import DatabaseFault
from progress.identity import LOCAL, Identity
from ui import session

BUNDLE = Path(__file__).parent / "widgets" / "editor" / "editor.js"
DRAFT_URL, BUNDLE_URL = "/api/draft", "/assets/editor.js"

_BODY_LIMIT = 4 * LARGEST
"""JSON may write a character in up to six bytes; the text itself is measured after decoding."""

_PATIENCE = 64 * LARGEST


def token(actor: Identity) -> str:
    """What this actor's editor must show with each draft."""
    return hmac.new(_secret(session.settings().data_dir / "run"), actor.id.encode(), hashlib.sha256).hexdigest()


@cache
def _secret(folder: Path) -> bytes:
    """Kept in a file: a page that was open while the app restarted must go on storing what is typed into it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, fresh = folder / "drafts.key", folder / f"drafts.{os.getpid()}"
    if not kept.exists():
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.link(fresh, kept)
        fresh.unlink()
    return kept.read_bytes()


async def save(request: Request) -> Response:
    """Store a draft: 200 with its revision, 409 with the newer draft of another tab, or one sentence."""
    actor = _bearer(request)
    if actor is None:
        return _say(403, "Страница устарела и не может сохранить текст: скопируйте его и обновите страницу.")
    body = await _body(request)
    if isinstance(body, Response):
        return body
    if body["exercise"] not in session.exercises():
        return _say(404, "Такого упражнения нет: вернитесь к карте курса.")
    try:
        stored = await asyncio.to_thread(_store, actor, body)
    except DatabaseFault as problem:
        return _say(503, f"Не сохранено. {problem}")
    return stored


async def bundle(_request: Request) -> Response:
    """The editor's JavaScript; its address carries the content's hash, so it may be kept for good."""
    return FileResponse(BUNDLE, media_type="text/javascript", headers={"Cache-Control": "max-age=31536000, immutable"})


def bundle_address() -> str:
    """Where the page loads the editor from; changes when the bundle does."""
    return f"{BUNDLE_URL}?v={_BUNDLE_HASH}"


_BUNDLE_HASH = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()[:12]

ROUTES = [Route(DRAFT_URL, save, methods=["POST"]), Route(BUNDLE_URL, bundle)]


def _bearer(request: Request) -> Identity | None:
    shown = request.headers.get("x-course-token", "")
    return LOCAL if hmac.compare_digest(shown.encode(), token(LOCAL).encode()) else None


async def _body(request: Request) -> dict[str, Any] | Response:
    raw = await _read(request)
    if raw is None:
        return _too_large()
    try:
        body = json.loads(raw)
        fields: dict[str, Any] = {
            "exercise": str(body["exercise"]),
            "source": _whole(str(body["source"])),
            "revision": int(body["revision"]),
        }
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return _say(400, "Черновик не разобрать: обновите страницу.")
    return _too_large() if len(fields["source"].encode()) > LARGEST else fields


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is too large. Read to its end all the same: a browser whose sending is cut off hears
    no answer. Past ``_PATIENCE`` even that ends."""
    kept, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= _BODY_LIMIT:
            kept += chunk
        elif size > _PATIENCE:
            break
    return bytes(kept) if size <= _BODY_LIMIT else None


def _whole(text: str) -> str:
    """The text without halves of characters: a page that has one in it can never be sent to the browser again."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _store(actor: Identity, body: dict[str, Any]) -> Response:
    try:
        draft = learning.save_draft(
            session.database(), actor, body["exercise"], body["source"], revision=body["revision"]
        )
    except learning.DraftConflict as newer:
        return JSONResponse({"revision": newer.draft.revision, "source": newer.draft.source}, status_code=409)
    return JSONResponse({"revision": draft.revision})


def _too_large() -> Response:
    return _say(413, f"Текст длиннее {LARGEST // 1024} КиБ и не сохранён: уберите лишнее.")


def _say(status: int, sentence: str) -> Response:
    return JSONResponse({"message": sentence}, status_code=status)
