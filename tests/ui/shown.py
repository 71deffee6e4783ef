"""What a tab shows, for tests of demos: its numbers as read, and the one widget whose key ends so."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\u00a0", " ") for metric in tab.metric}


def named(tab: AppTest, kind: str, ending: str) -> Any:
    return next(each for each in tab.get(kind) if str(each.key).endswith(ending))
