"""Files that the learner's code left, read by the judge when the sandbox is dead and nobody can change them any more.

They are reached through a descriptor of the sandbox's scratch directory, taken before the submission was read. A name
is walked part by part and no link is followed; only a regular file of one name and of bounded size is read. Leaves out
what is in them (``graders.host.formats``).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from common import numbers
from graders.host.faults import Broken, Mistake

FOLDER = "answer"
"""Where in its working directory the learner's code leaves them."""
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NOT_REGULAR = {errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.ENODEV}


class Files(Mapping[str, bytes]):
    """The fixture ``files`` of a check: what is in each file by its name in exercise.toml.

    The first look at it ends the sandbox (``end`` does so and returns the scratch directory's descriptor), so a check
    calls first and looks afterwards. A file that cannot be taken is a ``Mistake`` when it is looked at.
    """

    def __init__(self, names: Sequence[str], limit: int, end: Callable[[], int]) -> None:
        self._names, self._limit, self._end = names, limit, end
        self._found: dict[str, bytes | Mistake] = {}

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise Broken(f"exercise.toml does not ask for the file {name!r}")
        if not self._found:
            scratch = self._end()
            self._found = {each: self._take(scratch, each) for each in self._names}
        found = self._found[name]
        if isinstance(found, Mistake):
            raise found
        return found

    def _take(self, scratch: int, name: str) -> bytes | Mistake:
        try:
            return read(scratch, name, self._limit)
        except Mistake as mistake:
            return mistake

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def read(scratch: int, name: str, limit: int) -> bytes:
    """The file ``name`` of the answer's folder, at most ``limit`` bytes.

    Raises:
        Mistake: it is missing, is no regular file, has a second name, is too large.
        Broken: it changes while it is read.
    """
    shown = f"{FOLDER}/{name}"
    try:
        with ExitStack() as stack:
            here = scratch
            for part in (FOLDER, *name.split("/")[:-1]):
                here = os.open(part, _PLAIN | os.O_DIRECTORY, dir_fd=here)
                stack.callback(os.close, here)
            found = os.open(name.rpartition("/")[2], _PLAIN, dir_fd=here)
            stack.callback(os.close, found)
            return _content(found, shown, limit)
    except FileNotFoundError:
        raise Mistake("", f"Файла {shown} нет: ваш код должен его там сохранить", expected="файл", got="нет") from None
    except OSError as error:
        raise _odd(shown, error.errno) from error


def _content(descriptor: int, shown: str, limit: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _odd(shown, errno.EISDIR)
    if status.st_nlink != 1:
        raise Mistake("", f"У файла {shown} есть второе имя (жёсткая ссылка): сохраните его обычным файлом")
    if status.st_size > limit:
        raise _large(shown, status.st_size, limit)
    data = bytearray()
    while piece := os.read(descriptor, min(1 << 20, limit + 1 - len(data))):
        data += piece
    if len(data) != status.st_size:
        raise Broken(f"{shown} changed while it was read: something of the sandbox is alive")
    return bytes(data)


def _odd(shown: str, code: int | None) -> Mistake:
    if code == errno.ENOTDIR or code in _NOT_REGULAR:
        kinds = "а не ссылка, папка, канал или устройство"
        return Mistake("", f"{shown} должен быть обычным файлом в обычной папке, {kinds}")
    return Mistake("", f"Файл {shown} не открывается: проверьте права доступа к нему и к его папке")


def _large(shown: str, size: int, limit: int) -> Mistake:
    sizes = {"expected": f"до {numbers.size(limit, 0, binary=True)}", "got": numbers.size(size, 1, binary=True)}
    return Mistake("", f"Файл {shown} слишком велик: сохраняйте только то, что просит условие", **sizes)
