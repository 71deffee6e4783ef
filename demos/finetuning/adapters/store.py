"""Adapter files on their way from a page to the compute process: a folder per content, named by its SHA-256.

The page writes what it has (a run's files, an upload), hands over the name, and a demo reads it. Torch-free. What has
not been asked for lately goes when there are too many. Leaves out whether it is an adapter at all: whoever reads looks.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import settings
from demos.finetuning.adapters.container import LARGEST_FILE, AdapterError
from demos.finetuning.adapters.files import CONFIG, WEIGHTS, Adapter, open_adapter

MOST = 40
"""Adapters kept with what was exported from them, a base's size each at most."""
ARCHIVE = "upload.zip"
LARGEST_UPLOAD = LARGEST_FILE
_DIGEST = re.compile(r"[0-9a-f]{64}")


def put(files: Mapping[str, bytes]) -> str:
    """Keep the files of one adapter and give the name to ask for it.

    Raises:
        AdapterError: a file is too large, or they are not an adapter's.
    """
    known = {name: content for name, content in files.items() if name in (CONFIG, WEIGHTS, ARCHIVE)}
    if not known or any(len(content) > LARGEST_UPLOAD for content in known.values()):
        raise AdapterError(
            f"Нужны два файла, {CONFIG} и {WEIGHTS}, или один zip с ними, не больше {LARGEST_UPLOAD >> 20} МиБ."
        )
    digest = hashlib.sha256()
    for name in sorted(known):
        digest.update(name.encode() + len(known[name]).to_bytes(8, "little") + known[name])
    place = _root() / digest.hexdigest()
    if place.is_dir():
        place.touch()
    else:
        _write(place, known)
        _prune()
    return place.name


def folder(name: str) -> Path:
    """The folder of a kept adapter: what is made from it may be kept there too.

    Raises:
        AdapterError: there is none of that name (any more).
    """
    place = _root() / name
    if not _DIGEST.fullmatch(name) or not place.is_dir():
        raise AdapterError("Файлов этого адаптера больше нет под рукой: выберите его заново.")
    place.touch()
    return place


def files(name: str) -> dict[str, bytes]:
    """The kept files themselves.

    Raises:
        AdapterError: they are gone.
    """
    place = folder(name)
    return {file: content for file in (CONFIG, WEIGHTS, ARCHIVE) if (content := _read(place / file)) is not None}


def adapter(name: str) -> Adapter:
    """The kept adapter, opened and checked.

    Raises:
        AdapterError: it is gone, or its files are no adapter of the course's base.
    """
    place = folder(name)
    archive = place / ARCHIVE
    found = unzip(archive.read_bytes()) if archive.is_file() else {}
    parts = [found.get(file) or _read(place / file) for file in (CONFIG, WEIGHTS)]
    if parts[0] is None or parts[1] is None:
        raise AdapterError(f"Не хватает файла {CONFIG if parts[0] is None else WEIGHTS}: адаптер — это два файла.")
    return open_adapter(parts[0], parts[1])


def unzip(content: bytes) -> dict[str, bytes]:
    """The two files of an adapter from a zip, wherever in it they lie; names are compared, nothing is written.

    Raises:
        AdapterError: not a zip, one of the files twice, encrypted, damaged, or larger inside than it may be.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            found: dict[str, bytes] = {}
            for entry in archive.infolist()[:1000]:
                name = entry.filename.rpartition("/")[2]
                if name not in (CONFIG, WEIGHTS) or entry.filename.startswith("__MACOSX"):
                    continue
                if name in found:
                    raise AdapterError(f"В архиве два файла {name}: оставьте один адаптер.")
                if entry.flag_bits & 1:
                    raise AdapterError("Архив закрыт паролем: сохраните его без пароля.")
                with archive.open(entry) as file:
                    found[name] = file.read(LARGEST_FILE + 1)  # a bomb unfolds no further
                if len(found[name]) > LARGEST_FILE:
                    raise AdapterError(f"Файл {name} в архиве больше {LARGEST_FILE >> 20} МиБ.")
            return found
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        EOFError,
        NotImplementedError,
        OSError,
        ValueError,
        RuntimeError,
    ) as e:
        if isinstance(e, AdapterError):
            raise
        raise AdapterError("Архив zip повреждён: сохраните его заново.") from None


def _root() -> Path:
    return settings.current().data_dir / "adapters"


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    """All or nothing: the folder appears under its name when it is whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    for name, content in files.items():
        (fresh / name).write_bytes(content)
    try:
        fresh.rename(place)
    except OSError:  # somebody else was first with the same files
        shutil.rmtree(fresh, ignore_errors=True)


def _prune() -> None:
    places = [place for place in _root().iterdir() if _DIGEST.fullmatch(place.name)]
    with contextlib.suppress(FileNotFoundError):
        for old in sorted(places, key=lambda place: -place.stat().st_mtime)[MOST:]:
            shutil.rmtree(old, ignore_errors=True)
