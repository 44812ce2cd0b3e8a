"""Changes a project file as a person would: comments, order and everything else stay.

An edit is made twice, on the document with its comments (tomlkit) and on plain data; what is
written has to read back as the latter, and to be a valid project.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from core.errors import BoxwrightError, BusyError, NotFoundError, UsageError
from core.model.project import Project
from core.projects.appending import described, with_machine
from core.projects.reader import PROJECT_FILE, parse, read_source
from core.projects.templates import templates_of
from core.projects.writing import write_whole

Key = tuple[str | int, ...]
"""Where a value stands, e.g. ``("machines", "web", "ports", 0, "host")``."""


class ProjectEditor:
    """A project file, read, to be changed and saved.

    Values are plain TOML data. Nothing is written before ``save``.
    """

    def __init__(self, root: Path | str) -> None:
        """Read the file of a project (its folder, or the file). Raises as ``load`` does."""
        path = Path(root).expanduser().resolve()
        self.file = path if path.is_file() else path / PROJECT_FILE
        self._take(read_source(self.file))
        self._new = False

    @classmethod
    def new(cls, folder: Path | str, name: str) -> ProjectEditor:
        """A project that has no file yet: ``save`` writes it. Templates that lie in its folder stay its
        builds. Raises UsageError for a wrong name."""
        made = cls.__new__(cls)
        made.file = Path(folder).expanduser().resolve() / PROJECT_FILE
        builds = [
            f"[builds.{tomlkit.key(build).as_string()}]\ntemplate = {tomlkit.item(path).as_string()}\n\n"
            for build, path in templates_of(made.file.parent).items()
        ]
        made._take(f"[project]\nname = {tomlkit.item(name).as_string()}\n\n{''.join(builds)}")
        made._new = True
        return made

    def _take(self, source: str) -> None:
        self._source = source
        parse(source, self.file)
        self._document: Any = tomlkit.parse(source)
        self._data = tomllib.loads(source)

    @property
    def machines(self) -> tuple[str, ...]:
        """The names of the machines in the file."""
        return tuple(self._data.get("machines", {}))

    @property
    def text(self) -> str:
        """The file as it would be written."""
        text = tomlkit.dumps(self._document)
        return text if self._source.endswith("\n\n") else text.rstrip("\n") + "\n"

    def set(self, key: Key, value: Any) -> None:
        """Give a value, new or instead of the one there; missing tables are made on the way."""
        _set(self._data, key, copy.deepcopy(value), plain=True)
        self._attempt(lambda: _set(self._document, key, _item(value), plain=False))

    def unset(self, key: Key) -> None:
        """Take a value out. Raises NotFoundError where there is none."""
        _holder(self._data, key)
        _remove(self._data, key)
        self._attempt(lambda: _remove(self._document, key))

    def add_machine(self, name: str, table: Mapping[str, Any]) -> None:
        """Add a machine below the others. Raises UsageError where one of that name is there."""
        if name in self._data.get("machines", {}):
            raise UsageError(f"There is a machine {name!r} already.", remedy="choose another name")
        self._data.setdefault("machines", {})[name] = copy.deepcopy(dict(table))
        self._attempt(lambda: self._append(name, table))

    def remove_machine(self, name: str) -> None:
        """Take a machine out, with the comments inside its table. Raises NotFoundError."""
        self.unset(("machines", name))

    def save(self) -> Project:
        """Write the file and return the project as it is now.

        Raises ProjectFileError, and writes nothing, where the result would not be valid; BusyError
        where somebody changed the file meanwhile.
        """
        text = self.text
        if not _says(text, self._data):
            raise _cannot(self.file)
        project = parse(text, self.file)
        if self._new:
            self._create(text)
            return project
        if read_source(self.file) != self._source:
            raise BusyError(
                f"{self.file} was changed meanwhile.",
                why="Saving would undo that change.",
                remedy="look at the file, and make the change again",
            )
        if text != self._source:
            write_whole(self.file.resolve(), text.encode())
            self._source = text
        return project

    def _create(self, text: str) -> None:
        if self.file.exists():
            raise BusyError(
                f"{self.file} is there by now.", remedy="look at it; add the machine to that project"
            )
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.file, text.encode())
        self._source, self._new = text, False

    def _append(self, name: str, table: Mapping[str, Any]) -> None:
        source = tomlkit.dumps(self._document)
        text = with_machine(source, name, table)
        if not _says(text, self._data):
            text = f"{source.rstrip()}\n\n{described(name, table)}"
        self._document = tomlkit.parse(text)

    def _attempt(self, change: Any) -> None:
        try:
            change()
        except (TOMLKitError, TypeError, ValueError) as error:
            raise _cannot(self.file) from error


def renamed(source: str, name: str) -> str:
    """The text of a project file with another name of the project."""
    document: Any = tomlkit.parse(source)
    document["project"]["name"] = name
    return tomlkit.dumps(document)


def _says(text: str, data: dict[str, Any]) -> bool:
    """Whether a text reads as that data."""
    try:
        return tomllib.loads(text) == data
    except tomllib.TOMLDecodeError:
        return False


def _cannot(file: Path) -> BoxwrightError:
    return BoxwrightError(
        f"{file} cannot be changed without touching the rest of it.",
        why="Its tables are written in a way that leaves no place for this change.",
        remedy=f"change it by hand: $EDITOR {file}",
    )


def _set(top: Any, key: Key, value: Any, *, plain: bool) -> None:
    holder = top
    for part in key[:-1]:
        if isinstance(part, str) and part not in holder:
            holder[part] = {} if plain else tomlkit.inline_table()
        holder = holder[part]
    last = key[-1]
    if isinstance(last, int) and last == len(holder):
        holder.append(value)
    else:
        holder[last] = value


def _remove(top: Any, key: Key) -> None:
    holder = top
    for part in key[:-1]:
        holder = holder[part]
    del holder[key[-1]]


def _holder(data: Any, key: Key) -> None:
    """Raise NotFoundError unless there is a value at ``key``."""
    here = data
    for number, part in enumerate(key):
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            written = ".".join(str(item) for item in key[: number + 1])
            raise NotFoundError(f"The project file has no {written}.") from None


def _item(value: Any) -> Any:
    """A value as tomlkit holds it: lists of tables in braces, one to a line where there are several."""
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, item in value.items():
            table[key] = _item(item)
        return table
    if isinstance(value, Sequence) and not isinstance(value, str):
        array = tomlkit.array()
        for item in value:
            array.append(_item(item))
        return array.multiline(len(value) > 1 and isinstance(value[0], Mapping))
    return tomlkit.item(value)
