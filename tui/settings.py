"""What the workbench remembers: one small TOML file that a person may edit."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import msgspec

from core.errors import ConfigError
from core.model.problem import Place
from core.paths import HOME_VARIABLE, locations


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Keys that are not known are left alone, so that an older workbench keeps a newer one's."""

    theme: str = ""
    """Name of a theme; "" for the one that suits the terminal."""
    keys: dict[str, str] = {}
    """Other keys for commands, by id: ``"machine.up" = "f5"``."""


def folder() -> Path:
    """Where settings and the user's own themes lie."""
    if os.environ.get(HOME_VARIABLE):
        return locations().data
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "boxwright"


def file() -> Path:
    return folder() / "settings.toml"


def load(path: Path) -> tuple[Settings, ConfigError | None]:
    """The settings, or the defaults and why the file cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), None
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), _unusable(path, error)
    try:
        return msgspec.convert(tomllib.loads(text), Settings), None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        return Settings(), _unusable(path, error)


def remember(path: Path, key: str, value: str) -> None:
    """Set one key, keeping everything else of the file, its comments too. Raises ConfigError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
        document[key] = value
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(tomlkit.dumps(document), encoding="utf-8")
        fresh.replace(path)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(
            f"The setting {key!r} cannot be stored.", why=str(error), place=Place(str(path))
        ) from error


def _unusable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(
        "The settings cannot be read; the defaults are used.",
        why=str(error),
        remedy=f"mend or remove {path}",
        place=Place(str(path)),
    )
