"""What an archive says that it holds, checked before any of it counts as part of a box."""

from __future__ import annotations

import posixpath
import re
from typing import Protocol

import msgspec

from core.boxes.limits import Limits
from core.boxes.staging import Sink, Staging, megabytes
from core.errors import BoxwrightError

_LONGEST_NAME = 1024
_MOST_LINKS = 40
_DRIVE = re.compile(r"[A-Za-z]:")


class HostileArchive(BoxwrightError):
    """An archive that would do something that no box needs to do."""

    def __init__(self, what: str, *, why: str) -> None:
        super().__init__(
            what, why=why, remedy="do not use this box, or ask whoever made it for one without that"
        )


class Guard(Protocol):
    """Looks at each file of a box before it is unpacked, and after."""

    def before(self, name: str, size: int) -> None:
        """Raise BoxwrightError where the file must not be so large."""

    def after(self, name: str) -> None:
        """The file is complete in the staging folder."""


class Contents:
    """The files of an archive on their way into a staging folder.

    Names and links exist in the staging folder's list alone, never in the file system.
    """

    def __init__(self, staging: Staging, guard: Guard, limits: Limits) -> None:
        self._staging = staging
        self._guard = guard
        self._limits = limits
        self._links: dict[str, str] = {}
        self._entries = 0
        self.bytes = 0
        """What all files so far are said to have together, holes included."""

    def count(self) -> None:
        """One more entry, whatever it is."""
        self._entries += 1
        if self._entries > self._limits.entries:
            raise HostileArchive(
                "The archive has too many entries.", why=f"More than {self._limits.entries} are refused."
            )

    def sink(self, name: str, size: int) -> Sink:
        """Begin the file ``name``, which is said to have ``size`` bytes."""
        self._check_new(name)
        self.bytes += size
        if self.bytes > self._limits.unpacked:
            raise HostileArchive(
                f"The box is too large: {megabytes(self.bytes)} at least.",
                why=f"The limit is {megabytes(self._limits.unpacked)} (BOXWRIGHT_BOX_LIMIT changes it).",
            )
        self._guard.before(name, size)
        return self._staging.sink(name)

    def finish(self, name: str, sink: Sink) -> None:
        sink.finish()
        self._guard.after(name)

    def link(self, name: str, target: str) -> None:
        """The file ``name`` is another name for ``target``, as seen from the top of the archive."""
        self._check_new(name)
        resolved = posixpath.normpath(target)
        if len(target) > _LONGEST_NAME or _leaves(resolved):
            raise HostileArchive(
                f"The archive holds a link that leaves the box: {shown(name)} to {shown(target)}.",
                why="It would give the box access to other files of this computer.",
            )
        self._links[name] = resolved

    def resolve_links(self) -> None:
        """Give the files behind links their second names. Raises HostileArchive for a link to nothing."""
        files = self._staging.files
        found = {}
        for name in self._links:
            target = name
            for _ in range(_MOST_LINKS):
                if target not in self._links:
                    break
                target = self._links[target]
            if target not in files:
                raise HostileArchive(
                    f"The archive holds a link to nothing: {shown(name)} to {shown(self._links[name])}.",
                    why="Links may only lead to files of the same box.",
                )
            found[name] = msgspec.structs.replace(files[target], path=name)
        self._staging.aliases.update(found)

    def _check_new(self, name: str) -> None:
        if name in self._staging.files or name in self._links:
            raise HostileArchive(
                f"The archive holds {shown(name)} twice.",
                why="Which of the two counts would depend on who unpacks it.",
            )


def safe_name(name: str) -> str:
    """The relative path that an archive's entry means. Raises HostileArchive for one that leaves the box."""
    if not name or len(name) > _LONGEST_NAME or "\0" in name or not _is_text(name):
        raise HostileArchive(
            f"The archive holds a file with an impossible name, {shown(name)}.",
            why="Names are UTF-8 text of a sensible length.",
        )
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        raise HostileArchive(
            f"The archive holds an absolute path, {shown(name)}.",
            why="It would be written outside of the box.",
        )
    if ".." in re.split(r"[/\\]", name):
        raise HostileArchive(
            f"The archive holds a path with '..', {shown(name)}.",
            why="It would be written outside of the box.",
        )
    normal = posixpath.normpath(name)
    if normal == ".":
        raise HostileArchive("The archive holds a file without a name.", why="It cannot be part of a box.")
    return normal


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return all(character >= " " for character in name)


def _leaves(path: str) -> bool:
    return path.startswith(("/", "\\", "../")) or path == ".." or "\0" in path


def shown(name: str) -> str:
    """A foreign name, fit for a message."""
    return ascii(name[:200])
