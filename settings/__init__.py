"""The one settings object: read once from the environment and the command line, then passed around.

Leaves out anything that changes while the course runs (that is data, see ``progress``) and Streamlit's own options
(``.streamlit/config.toml`` and ``app.run(config=...)``).
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: code, content and exercises are found from here, never from the working directory."""


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one Russian sentence for the person who starts the course."""


def _setting(variable: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may choose. The table in docs/settings.md is made from these fields."""

    mode: str = _setting(
        "COURSE_MODE", "local", "`local`: one person, no login; `class`: accounts (not built yet, refused)"
    )
    host: str = _setting("COURSE_HOST", "127.0.0.1", "address to listen on; local mode accepts loopback addresses only")
    port: int = _setting("COURSE_PORT", 8501, "port to listen on")
    data_dir: Path = _setting("COURSE_DATA_DIR", ROOT / "data", "where the database, the queue and the logs live")
    database_url: str = _setting("COURSE_DATABASE_URL", "", "`postgresql://…`; empty: SQLite in the data directory")
    demo: bool = _setting("COURSE_DEMO", False, "open with an invented class (removable)")
    content_dir: Path = _setting("COURSE_CONTENT_DIR", ROOT / "content", "lessons, glossary and facts")
    exercises_dir: Path = _setting("COURSE_EXERCISES_DIR", ROOT / "exercises", "exercise folders")
    models_dir: Path = _setting(
        "COURSE_MODELS_DIR", ROOT / "data" / "models", "folders with models that runs may name as their base"
    )
    hub_models: bool = _setting(
        "COURSE_HUB_MODELS", False, "let runs name a model of huggingface.co; it is downloaded into the models folder"
    )

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the course database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'course.sqlite'}"

    @property
    def queue_database(self) -> str:
        """SQLAlchemy URL of the queue's own tables (DBOS keeps them apart from ours)."""
        return self.database_url or f"sqlite:///{self.data_dir / 'queue.sqlite'}"

    @property
    def compute_socket(self) -> Path:
        """Unix socket of the warm compute process."""
        return self.data_dir / "run" / "compute.sock"

    @property
    def logs(self) -> Path:
        """Directory of the log files."""
        return self.data_dir / "logs"

    def environment(self) -> dict[str, str]:
        """These settings as environment variables: how a parent hands them to its child processes."""
        values = {f.metadata["variable"]: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in values.items()}


def load(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Settings from ``environ``, with ``overrides`` (from the command line) on top.

    Raises:
        SettingsError: a value is not usable; says which variable, what is wrong and what to do.
    """
    values: dict[str, Any] = {}
    for item in dataclasses.fields(Settings):
        variable, text = item.metadata["variable"], environ.get(item.metadata["variable"])
        if text not in (None, ""):
            values[item.name] = _parse(variable, str(text), item.default)
    values.update({name: value for name, value in overrides.items() if value is not None})
    settings = Settings(**values)
    _check(settings)
    return settings


@cache
def current() -> Settings:
    """The settings of this process, read once."""
    return load()


def _parse(variable: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() in {"1", "true", "yes", "да"}:
            return True
        if text.lower() in {"0", "false", "no", "нет"}:
            return False
        raise SettingsError(f"{variable}: «{text}» не похоже на да или нет; укажите 1 или 0.")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{variable}: «{text}» не число; укажите номер порта, например 8501.") from None
    return Path(text).expanduser().absolute() if isinstance(default, Path) else text


def _check(settings: Settings) -> None:
    if settings.mode == "class":
        raise SettingsError(
            "COURSE_MODE=class: вход по учётным записям ещё не готов; уберите COURSE_MODE или укажите local."
        )
    if settings.mode != "local":
        raise SettingsError(f"COURSE_MODE: «{settings.mode}» не поддерживается; укажите local.")
    if not 1 <= settings.port <= 65535:
        raise SettingsError(
            f"COURSE_PORT: {settings.port} вне диапазона 1–65535; укажите свободный порт, например 8501."
        )
    if not _is_loopback(settings.host):
        raise SettingsError(
            f"COURSE_HOST: «{settings.host}» открыл бы курс всей сети без входа по паролю; "
            "в локальном режиме укажите 127.0.0.1."
        )
    if settings.database_url and not settings.database_url.startswith(
        ("postgresql://", "postgresql+psycopg://", "sqlite:///")
    ):
        raise SettingsError(
            "COURSE_DATABASE_URL: нужен адрес вида postgresql://пользователь@машина/база или sqlite:///путь."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
