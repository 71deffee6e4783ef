"""An exercise's folder is read whole, and an author's slip is named with file, key and the nearest known key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graders.exercise import ExerciseError, load, load_all

DOUBLE = Path(__file__).parent / "exercises" / "double"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DOUBLE, tmp_path / "double"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_everything_is_read(folder: Path) -> None:
    exercise = load(folder)
    assert (exercise.slug, exercise.points, exercise.seconds, exercise.memory) == ("double", 6, 5.0, 512 << 20)
    assert [check.id for check in exercise.checks] == ["tensor", "negative", "count", "layer"]
    assert exercise.checks[0].title == "Тензор удваивается"
    assert exercise.checks[2].misconception == "OFF_BY_ONE"
    assert exercise.hints == ("Умножьте на два.", "`return 2 * x`")
    assert exercise.functions[1].kind == "class"


def test_files_and_fresh_sandboxes_are_asked_for(folder: Path) -> None:
    assert (load(folder).files, [check.fresh for check in load(folder).checks]) == ((), [False] * 4)
    change(folder / "test_double.py", "points=2, hint", "points=2, fresh=True, hint")
    assert [check.fresh for check in load(folder).checks] == [True, False, False, False]
    change(folder / "test_double.py", "fresh=True", "fresh=False")
    change(folder / "exercise.toml", "seconds = 5", 'fresh = true\nfiles = ["a/b.json", "c"]\nfile_mb = 2')
    exercise = load(folder)
    assert [check.fresh for check in exercise.checks] == [False, True, True, True]
    assert (exercise.files, exercise.file_bytes) == (("a/b.json", "c"), 2 << 20)


def test_reading_runs_nothing_of_the_exercise(folder: Path) -> None:
    change(folder / "test_double.py", "CANARY =", "raise SystemExit\nCANARY =")
    assert len(load(folder).checks) == 4


def test_the_version_follows_every_file(folder: Path) -> None:
    before = load(folder).version
    assert load(folder).version == before
    change(folder / "mistakes" / "triples.py", "3 * x", "4 * x")
    assert load(folder).version != before


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("exercise.toml", "seconds = 5", "secnds = 5", "`secnds`: неизвестный ключ; ближайший известный — `seconds`"),
        ("exercise.toml", "seconds = 5", 'seconds = "5"', "`seconds`: значение не того типа"),
        ("exercise.toml", 'title = "Удвоение"', "", "нет ключа `title`"),
        ("exercise.toml", "seconds = 5", "seconds = ", "это не TOML"),
        ("exercise.toml", 'kind = "class"', 'kind = "klass"', "kind"),
        ("exercise.toml", "seconds = 5", 'files = ["../x"]', "`files`: имя '../x' должно вести вглубь"),
        ("exercise.toml", "seconds = 5", 'files = ["/etc/passwd"]', "`files`: имя"),
        ("exercise.toml", "seconds = 5", 'files = ["a//b"]', "`files`: имя"),
        ("exercise.toml", "seconds = 5", 'files = ["."]', "`files`: имя"),
        ("exercise.toml", "seconds = 5", 'files = [""]', "`files`: имя"),
        ("exercise.toml", "seconds = 5", 'files = ["a\\u0000"]', "`files`: имя"),
        ("exercise.toml", "seconds = 5", "files = [5]", "`files`: имя"),
        ("exercise.toml", "seconds = 5", 'files = ["a", "a"]', "не больше 8 разных имён"),
        ("exercise.toml", "seconds = 5", 'files = ["1","2","3","4","5","6","7","8","9"]', "не больше 8 разных имён"),
        ("exercise.toml", "seconds = 5", "file_mb = 65", "`file_mb`: нужно целое число от 1 до 64"),
        ("exercise.toml", "seconds = 5", "file_mb = true", "`file_mb`: значение не того типа"),
        ("exercise.toml", "seconds = 5", "fresh = 1", "`fresh`: значение не того типа"),
        ("test_double.py", "points=2, hint", "points=2, fresh=1, hint", "`fresh`: значение не того типа"),
        ("exercise.toml", '"doubling", ', "", "понятия «doubling»"),
        ("test_double.py", "points=2, hint", "point=2, hint", "ближайший известный — `points`"),
        ("test_double.py", "points=2, hint", "points=1 + 1, hint", "литералы"),
        ("test_double.py", '    """Число удваивается"""\n', "", "`test_count`: нужны `concept` и название"),
        ("test_double.py", "def test_count", "def test_tensor", "дважды"),
        ("test_double.py", "def test_count(", "def test_count((", "синтаксическая ошибка"),
    ],
)
def test_a_slip_is_named(folder: Path, file: str, old: str, new: str, said: str) -> None:
    change(folder / file, old, new)
    with pytest.raises(ExerciseError) as caught:
        load(folder)
    assert said in str(caught.value)
    assert file in str(caught.value)


@pytest.mark.parametrize("file", ["statement.md", "hints.md", "starter.py", "test_double.py"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ExerciseError, match=file):
        load(folder)


def test_a_folder_of_exercises(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert list(load_all(tmp_path)) == ["double"]
    assert load_all(tmp_path / "nowhere") == {}
