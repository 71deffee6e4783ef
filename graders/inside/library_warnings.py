"""What libraries warn of, told briefly: one line each, once, and not without end. Nothing is refused because of it.

A learner may change all of this for their own code. Leaves out what they print themselves.
"""

from __future__ import annotations

import os
import sys
import warnings

MOST, LONGEST = 20, 300


def shorten() -> None:
    """Show each warning from now on as one line with the file's name alone: paths are the machine's business."""
    seen: set[str] = set()

    def show(message: object, category: type, filename: str, lineno: int, *_file_and_line: object) -> None:
        text = f"{category.__name__}: {' '.join(str(message).split())[:LONGEST]}"
        if text in seen or len(seen) > MOST:
            return
        seen.add(text)
        place = f"{os.path.basename(filename)}, строка {lineno}: "  # noqa: PTH119 - a name, maybe of no file
        sys.stderr.write(f"{place}{text}\n" if len(seen) <= MOST else "… дальше предупреждения не показаны …\n")

    warnings.showwarning = show  # type: ignore[assignment]
