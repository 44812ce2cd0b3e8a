"""Projects as they were last read: read again only when the file has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from core.errors import BoxwrightError, NotFoundError
from core.model.event import Change, ProjectChanged
from core.model.problem import Problem
from core.model.project import Project

Stamp = tuple[tuple[int, int, int] | None, ...]

_FILES = ("boxwright.toml", "Vagrantfile")


class _Read(msgspec.Struct, frozen=True):
    stamp: Stamp
    project: Project | None
    error: BoxwrightError | None
    extra: str
    """The file that was read, where it is none of the well-known ones."""


def read_project(root: Path) -> Project:
    """The project in a folder. Imported here, as reading projects costs time that a status need not pay."""
    from core.projects import load

    project: Project = load(root)
    return project


class ProjectCache:
    """``load`` costs a few ``stat`` calls unless a file has changed.

    ``seen`` is told of each project that was read, or could not be read (None).
    """

    def __init__(
        self,
        publish: Callable[[Change], None],
        seen: Callable[[str, Project | None], None],
        read: Callable[[Path], Project] = read_project,
    ) -> None:
        self._publish = publish
        self._seen = seen
        self._read = read
        self._cache: dict[str, _Read] = {}

    def load(self, root: str) -> Project:
        """The project of a folder. Raises ConfigError (with a place) where its file is wrong, and
        NotFoundError where there is none."""
        entry = self._cache.get(root)
        stamp = _stamp(root, entry.extra if entry else "")
        if entry is None or entry.stamp != stamp:
            entry = self._read_again(root, entry)
        if entry.error is not None:
            raise entry.error.with_traceback(None)
        assert entry.project is not None
        return entry.project

    def problem(self, root: str) -> Problem | None:
        """Why ``load`` fails, None where it works."""
        try:
            self.load(root)
        except BoxwrightError as error:
            return error.problem
        return None

    def known(self) -> tuple[str, ...]:
        """Roots that were asked for."""
        return tuple(self._cache)

    def forget(self, root: str) -> None:
        self._cache.pop(root, None)

    def _read_again(self, root: str, before: _Read | None) -> _Read:
        project: Project | None = None
        error: BoxwrightError | None = None
        extra = ""
        stamp = _stamp(root)
        if stamp[0] is None:
            error = NotFoundError(f"There is no folder {root}.", remedy="boxwright init")
        else:
            try:
                project = self._read(Path(root))
            except BoxwrightError as problem:
                error = problem
                extra = problem.problem.place.file if problem.problem.place else ""
            except OSError as problem:
                error = BoxwrightError(f"The project in {root} cannot be read.", why=str(problem))
        if project is not None:
            extra = project.file
        # The stamp was taken before reading: a change in between is seen the next time.
        entry = _Read((*stamp, _mark(extra)) if extra else stamp, project, error, extra)
        self._cache[root] = entry
        self._seen(root, project)
        if before is not None and (before.project, str(before.error)) != (project, str(error)):
            self._publish(ProjectChanged(root))
        return entry


def _stamp(root: str, extra: str = "") -> Stamp:
    marks = [_mark(root), *(_mark(f"{root}/{name}") for name in _FILES)]
    if extra:
        marks.append(_mark(extra))
    return tuple(marks)


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
