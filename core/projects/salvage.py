"""What can be read of a project file that has mistakes, so that all of them are named at once."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.model.project import Project, ProjectFile
from core.projects import positions
from core.projects.diagnosis import Fault, diagnose
from core.projects.reader import project_of

_ROUNDS = 20
"""Each takes all out that is known to be wrong; what then lacks something goes in the next."""
_GONE = object()
"""Stands in a list for an item that was taken out, so that the others keep their numbers."""

_STAND_INS: dict[tuple[str, ...], Any] = {
    ("project", "name"): "project",
    ("machines", "*", "box"): "box",
    ("builds", "*", "source"): {"bootstrap": {"suite": "suite"}},
}
"""What is put where something indispensable is wrong, so that the rest of its table can be looked at."""


class Salvaged:
    """A project without the values that are wrong; ``project`` is None where nothing can be read."""

    def __init__(self, data: dict[str, Any], file: Path) -> None:
        self._kept: dict[positions.Path, list[int]] = {}
        self.project = self._read(_completed(data), file)

    def placed(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Faults of ``project`` with the paths that their values have in the file."""
        for fault in faults:
            path: positions.Path = ()
            for part in fault.path:
                kept = self._kept.get(path)
                path = (*path, kept[part] if kept is not None and isinstance(part, int) else part)
            yield fault._replace(path=path)

    def _read(self, data: dict[str, Any], file: Path) -> Project | None:
        for _ in range(_ROUNDS):
            self._kept.clear()
            plain = self._without_gaps(data, ())
            faults = list(self.placed(diagnose(plain, ProjectFile)))
            if not faults:
                return _converted(plain, file)
            taken = [_take_out(data, fault.path) for fault in faults]
            if not any(taken):
                break
        return None

    def _without_gaps(self, value: Any, path: positions.Path) -> Any:
        """A copy without what was taken out of lists; remembers which items are left."""
        if isinstance(value, dict):
            return {key: self._without_gaps(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            kept = [number for number, item in enumerate(value) if item is not _GONE]
            self._kept[path] = kept
            return [self._without_gaps(value[number], (*path, number)) for number in kept]
        return value


def _converted(data: dict[str, Any], file: Path) -> Project | None:
    try:
        return project_of(msgspec.convert(data, ProjectFile), file)
    except (msgspec.ValidationError, OverflowError):
        return None


def _completed(data: dict[str, Any]) -> dict[str, Any]:
    """A copy in which nothing indispensable is missing."""
    data = copy.deepcopy(data)
    if not isinstance(data.get("project"), dict):
        data["project"] = {}
    for (table, *_, key), stand_in in _STAND_INS.items():
        holder = data.get(table)
        holders = [holder] if table == "project" else holder.values() if isinstance(holder, dict) else ()
        for item in holders:
            if isinstance(item, dict):
                item.setdefault(key, copy.deepcopy(stand_in))
    return data


def _take_out(data: dict[str, Any], path: positions.Path) -> bool:
    """Take a wrong value out, or put a stand-in there; False where there is nothing to take out any more."""
    for pattern, stand_in in _STAND_INS.items():
        if tuple("*" if want == "*" else part for want, part in zip(pattern, path, strict=False)) == pattern:
            path, instead = path[: len(pattern)], copy.deepcopy(stand_in)
            break
    else:
        instead = _GONE
    holder: Any = data
    try:
        for part in path[:-1]:
            holder = holder[part]
        if not path or holder[path[-1]] in (_GONE, instead):
            return False
    except (KeyError, IndexError, TypeError):
        return False
    if instead is _GONE and isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = instead
    return True
