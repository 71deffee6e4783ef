"""Which numbers to quantize: a layer of the course's model, a distribution, one's own numbers or file.

A file's header is read in a process of its own that can be killed; the page never takes it apart. Leaves out reading
the numbers (``demos.quantization.weights``).
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import streamlit as st

from common import numbers
from demos.params import Field
from demos.quantization import checkpoint, uploads, weights
from demos.quantization.checkpoint import CheckpointError
from graders import aside
from ui import session
from ui.demos import form
from ui.widgets.safe import plain

log = logging.getLogger("course.app")
COUNTS = (256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
SIGMAS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000)
BLOCKS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096)


def choose(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    """The source and what it needs."""
    source = form.choice(fields["source"], key, locked="source" in locked)
    values: dict[str, Any] = {"source": source}
    match source:
        case "model":
            names = [one.name for one in weights.model_tensors()]
            values["tensor"] = _tensor(names, key, locked="tensor" in locked)
        case "file":
            values |= _file(key, locked="tensor" in locked)
        case "own":
            values["own"] = st.text_area(
                fields["own"].title,
                key=form.widget(key, "own"),
                max_chars=fields["own"].longest,
                help="Через пробел, дробная часть — через запятую или точку.",
                disabled="own" in locked,
            )
        case _:
            values |= _drawn(source, fields, locked, key)
    return values


def block(item: Field, key: str, *, locked: bool = False) -> int:
    """The block's size on a slider, the whole tensor at its end."""
    stored = int(session.recall(form.widget(key, item.name), item.default))
    offered = [*sorted({*BLOCKS, *([stored] if stored else [])}), 0]
    return st.select_slider(
        item.title,
        offered,
        key=form.widget(key, item.name),
        disabled=locked,
        format_func=lambda size: numbers.integer(size) if size else "весь тензор",
    )


def _drawn(source: str, fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    with st.grid(2, min_column_width=180):
        values = {"count": form.slider(fields["count"], key, COUNTS, locked="count" in locked)}
        if source == "outliers":
            values["outliers"] = form.field(fields["outliers"], key, locked="outliers" in locked)
            values["sigmas"] = form.slider(fields["sigmas"], key, SIGMAS, locked="sigmas" in locked)
        values["seed"] = form.field(fields["seed"], key, locked="seed" in locked)
    return values


def _tensor(names: list[str], key: str, *, locked: bool) -> str:
    """One of ``names``; a name of another source gives way to the usual first."""
    name = form.widget(key, "tensor")
    if session.recall(name, "") not in names:
        session.remember(name, weights.FIRST_TENSOR if weights.FIRST_TENSOR in names else names[0])
    return st.selectbox("Тензор", names, key=name, disabled=locked)


def _file(key: str, *, locked: bool) -> dict[str, Any]:
    kept, problem = form.widget(key, "file"), f"{key}-file-problem"
    st.caption(
        f"Файл safetensors с весами, до {numbers.size(checkpoint.LARGEST_FILE, 0, binary=True)}: один слой большой "
        "модели или вся маленькая."
    )
    with st.container(key=f"upload-{key}"):
        st.file_uploader(
            "Файл с весами",
            key=f"{key}-file",
            max_upload_size=checkpoint.LARGEST_FILE >> 20,
            on_change=_take,
            args=(f"{key}-file", kept, problem),
        )
    if session.recall(problem, ""):
        st.error(plain(session.recall(problem, "")), icon=":material/error:")
    digest = session.recall(kept, "")
    if not digest:
        return {"file": ""}
    session.remember(kept, digest)  # no widget holds it
    return {"file": digest, "tensor": _tensor(list(_names(digest)), key, locked=locked)}


def _take(uploader: str, kept: str, problem: str) -> None:
    """Look at what was uploaded and keep it; or remember what is wrong with it."""
    file: Any = session.recall(uploader, None)
    session.forget(problem)
    if file is None:
        return
    content = file.getbuffer()
    try:
        _look(checkpoint.head(content), len(content))
        session.remember(kept, uploads.put(content))
    except CheckpointError as fault:
        session.remember(problem, str(fault))


@lru_cache(maxsize=64)
def _names(digest: str) -> tuple[str, ...]:
    """The tensors of a kept file.

    Raises:
        CheckpointError: it is gone.
    """
    content = uploads.path(digest).read_bytes()
    return _look(checkpoint.head(content), len(content))


def _look(head: bytes, size: int) -> tuple[str, ...]:
    """The tensors of a file by its head, read aside.

    Raises:
        CheckpointError: it cannot be looked at.
    """
    try:
        found = aside.run("demos.quantization.checkpoint:told", {"head": base64.b64encode(head).decode(), "size": size})
    except aside.TooHard:
        raise CheckpointError("Заголовок файла слишком сложный: сохраните слой в отдельный файл.") from None
    except aside.Broken:
        log.exception("uploaded weights")
        raise CheckpointError("Прочитать файл не удалось по нашей вине: попробуйте ещё раз.") from None
    if "fault" in found:
        raise CheckpointError(found["fault"])
    return tuple(name for name, _ in found["tensors"])
