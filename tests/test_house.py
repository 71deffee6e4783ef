"""The house rules that no linter knows: sizes, what app.py may import, one accent colour, reasons, fresh bundles."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from common import palette

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cli", "ui", "charts", "jobs", "lessons", "graders", "demos", "progress", "settings", "common")
LONGEST_FUNCTION, LONGEST_MODULE = 60, 300


def modules() -> list[Path]:
    found = [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "node_modules" not in path.parts
    ]
    assert len(found) > 30, "found too few modules to check"
    return [*found, ROOT / "app.py"]


def test_modules_stay_small_enough_to_read_at_one_sitting() -> None:
    sizes = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in modules()}
    worst = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    print("longest modules:", *(f"{path} {lines}" for path, lines in worst), sep="\n  ")
    assert worst[0][1] <= LONGEST_MODULE, worst[0]


def test_functions_stay_short() -> None:
    sizes = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    worst = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    print("longest functions:", *(f"{name} {lines}" for name, lines in worst), sep="\n  ")
    assert worst[0][1] <= LONGEST_FUNCTION, worst[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_does(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def test_app_is_a_short_entry_that_starts_the_ui_and_nothing_else() -> None:
    tree = ast.parse((ROOT / "app.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert imported & set(PACKAGES) <= {"ui", "settings", "common"}
    assert len((ROOT / "app.py").read_text().splitlines()) <= 80


def test_streamlit_is_imported_in_ui_only() -> None:
    for path in modules():
        if path.relative_to(ROOT).parts[0] in {"ui", "app.py"}:
            continue
        assert not re.search(r"^\s*(import|from) streamlit", path.read_text(), re.M), path


def test_the_theme_and_the_charts_share_one_accent() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    accent = theme.get("primaryColor") or theme["light"]["primaryColor"]
    assert accent.upper() == palette.ACCENT.upper()


def test_every_dependency_has_a_reason() -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text()
    names = [
        re.split(r"[=<>\[;]", line)[0].strip()
        for name in ("requirements.txt", "requirements-test.txt")
        for line in (ROOT / name).read_text().splitlines()
        if line.strip() and not line.startswith(("#", "-"))
    ]
    assert names
    missing = [name for name in names if f"`{name}`" not in reasons]
    assert not missing, f"no line in docs/dependencies.md: {missing}"


def test_the_editors_bundle_is_made_from_its_source() -> None:
    from hashlib import sha256

    source = ROOT / "ui" / "widgets" / "editor" / "source"
    wanted = sha256(b"".join((source / name).read_bytes() for name in ("editor.js", "package-lock.json"))).hexdigest()
    first_line = (source.parent / "editor.js").read_text().splitlines()[0]
    assert wanted in first_line, "run npm ci && npm run build in ui/widgets/editor/source"
