"""What the workbench remembers: one small TOML file that a person may edit."""

from __future__ import annotations

import enum
import json
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from core.errors import ConfigError
from core.model.problem import Place
from core.paths import HOME_VARIABLE, locations

Value = str | bool | Mapping[str, Any]

NOTHING_YET = """\
# Keys, colours and commands of your own, for instance:
#
# theme = "nord"
#
# [keys]
# "machine.up" = "f5"
#
# They stand above [layout], which the workbench writes by itself.
"""


class Screen(enum.StrEnum):
    """How much room the side with the keys has."""

    NORMAL = "normal"
    HALF = "half"
    FULL = "full"


class Notify(enum.StrEnum):
    """When the terminal is told that something long has ended."""

    UNFOCUSED = "unfocused"
    ALWAYS = "always"
    NEVER = "never"


class On(enum.StrEnum):
    """What a command of one's own is about."""

    MACHINE = "machine"
    BOX = "box"
    BUILD = "build"
    ANYTHING = "anything"


class CustomCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of one's own. Exactly one of ``line``, ``guest`` and ``host`` says what it does."""

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$", max_length=40)]
    """Its id is ``custom.`` and this; it is typed at the prompt like that."""
    title: str = ""
    help: str = ""
    key: str = ""
    on: On = On.MACHINE
    line: str = ""
    """A line as at the prompt, e.g. ``provision --only nginx``."""
    guest: str = ""
    """For the shell of the guest, in a tab."""
    host: str = ""
    """For ``sh`` on this computer. ``BOXWRIGHT_MACHINE``, ``BOXWRIGHT_PROJECT``, ``BOXWRIGHT_BOX`` and
    ``BOXWRIGHT_BUILD`` name what is selected."""

    def __post_init__(self) -> None:
        if sum(bool(way) for way in (self.line, self.guest, self.host)) != 1:
            raise ValueError(f"the command {self.name!r} needs exactly one of line, guest and host")
        if self.guest and self.on is not On.MACHINE:
            raise ValueError(f"the command {self.name!r} is for a guest, so it has to be on a machine")


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody was in a project when they left it."""

    pane: str = ""
    selected: str = ""
    """Key of the row that was selected there."""
    tab: str = ""
    """Of the right side, where it was not the usual one."""
    filters: dict[str, str] = {}
    """What the lists were filtered by, by pane."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What the workbench remembers of itself."""

    screen: Screen = Screen.NORMAL
    machines: str = ""
    """The column by which the machines are sorted, with ``-`` before it where their order is turned round; ""
    for the order in which they come."""
    boxes: str = ""
    builds: str = ""
    whereabouts: dict[str, Whereabouts] = {}
    """By the project's folder, ``*`` for the machines of all projects."""
    toured: bool = False
    """The first screen was seen."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Keys that are not known are left alone, so that an older workbench keeps a newer one's."""

    theme: str = ""
    """Name of a theme; "" for the one that suits the terminal."""
    ascii: bool = False
    """Only ASCII for borders and signs, whatever the terminal can show."""
    mouse: bool = True
    """Off: the terminal's own selection works without a modifier."""
    reduced_motion: bool = False
    """No cursor blinks, and what changes is drawn some times a second only, as over SSH."""
    read_only: bool = False
    """Nothing can be changed: there are no keys for it."""
    notify: Notify = Notify.UNFOCUSED
    notify_after: Annotated[float, Meta(ge=0)] = 10.0
    """Seconds from which on an operation is long enough to be told of."""
    keys: dict[str, str] = {}
    """Other keys for commands, by id: ``"machine.up" = "f5"``; "" for none."""
    commands: tuple[CustomCommand, ...] = ()
    layout: Layout = Layout()


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
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Settings(), _unusable(path, error)
    lost = _in_layout(data.get("layout"))
    if lost:
        return Settings(), _misplaced(path, lost, text)
    try:
        return msgspec.convert(data, Settings), None
    except msgspec.ValidationError:
        return Settings(), _wrong(path, data, text)


def remember(path: Path, key: str, value: Value) -> None:
    """Set one key (``layout.screen`` is in a table), keeping everything else of the file, its comments too.
    Raises ConfigError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else NOTHING_YET)
        table, _, name = key.rpartition(".")
        holder: Any = document.setdefault(table, tomlkit.table()) if table else document
        holder[name] = value
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(tomlkit.dumps(document), encoding="utf-8")
        fresh.replace(path)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(
            f"The setting {key!r} cannot be stored.", why=str(error), place=Place(str(path))
        ) from error


class Watched:
    """The settings' file, looked at now and then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current, self.trouble = load(path)
        self._changed = _stamp(path)

    def again(self) -> bool:
        """Read it where it was edited. True: there are other settings, or there is other trouble. What is
        broken changes nothing, and how another workbench is laid out is no edit."""
        changed = _stamp(self.path)
        if changed == self._changed:
            return False
        self._changed = changed
        before = _chosen(self.current), self.trouble
        found, self.trouble = load(self.path)
        if self.trouble is None:
            self.current = found
        return before != (_chosen(self.current), self.trouble)

    def remember(self, key: str, value: Value) -> None:
        """Raises ConfigError."""
        remember(self.path, key, value)
        self.again()


def _chosen(settings: Settings) -> Settings:
    """Without what workbenches remember of their own."""
    return msgspec.structs.replace(settings, layout=Layout())


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "settings.toml",
        "description": "The settings of Boxwright's workbench.",
        **msgspec.json.schema(Settings),
    }


def schema_text() -> str:
    """The schema as it is kept in the repository."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _in_layout(table: object) -> str:
    """The first setting that was written behind ``[layout]``, and so into it; "" for none."""
    if not isinstance(table, dict):
        return ""
    return next(
        (key for key in table if key in Settings.__struct_fields__),
        next((lost for inner in table.values() if (lost := _in_layout(inner))), ""),
    )


def _misplaced(path: Path, key: str, text: str) -> ConfigError:
    lines = text.splitlines()
    layout = next((number for number, line in enumerate(lines) if line.lstrip().startswith("[layout")), 0)
    written = (
        number for number, line in enumerate(lines) if number > layout and line.lstrip().startswith(key)
    )
    number = next(written, layout) + 1
    return ConfigError(
        f"{path.name}, line {number}: {key} stands in a table of [layout]; move it above that.",
        why="In TOML, what stands behind the heading of a table belongs to that table.",
        remedy=f"move it to the beginning of {path}",
        place=Place(str(path), number),
    )


def _wrong(path: Path, data: dict[str, Any], text: str) -> ConfigError:
    """The first of what is wrong in it, where it is written."""
    from core.projects.diagnosis import diagnose
    from core.projects.report import place_faults

    first = place_faults(diagnose(data, Settings), text, path)[0]
    line = f", line {first.place.line}" if first.place and first.place.line else ""
    return ConfigError(
        f"{path.name}{line}: {first.what}",
        why="It is not used before that is mended.",
        remedy=first.remedy or f"mend or remove {path}",
        place=first.place,
    )


def _unusable(path: Path, error: Exception) -> ConfigError:
    """Said in one line of the screen, so the place comes first."""
    text, _, place = str(error).partition(" (at line ")
    line = f", line {place.partition(',')[0]}" if place else ""
    return ConfigError(
        f"{path.name}{line}: {text}",
        why="It is not used before that is mended.",
        remedy=f"mend or remove {path}",
        place=Place(str(path)),
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema_text(), encoding="utf-8")
