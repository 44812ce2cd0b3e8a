"""The part of a project file that describes one machine or build: found, and put back changed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.errors import BusyError, NotFoundError
from core.projects.positions import Positions
from core.projects.reader import parse, read_source
from core.projects.writing import write_whole


class Part(msgspec.Struct, frozen=True):
    """Lines ``first`` (from 0) up to before ``end`` of the source of ``file``."""

    file: Path
    source: str
    first: int
    end: int

    @property
    def text(self) -> str:
        return "".join(self.source.splitlines(keepends=True)[self.first : self.end])

    def changed(self, text: str) -> str:
        """The whole source with another text in place of this part."""
        lines = self.source.splitlines(keepends=True)
        text = text if not text or text.endswith("\n") else text + "\n"
        return "".join([*lines[: self.first], text, *lines[self.end :]])


def part_of(file: Path, section: str, name: str) -> Part:
    """Where a machine (``machines``) or a build (``builds``) is described: its tables, where they stand
    together, else the whole file. Raises as reading does, and NotFoundError."""
    source = read_source(file)
    parse(source, file)
    positions = Positions(source)
    path = (section, name)
    spots = sorted(
        ((spot.key, key) for key, spot in positions.spots.items() if key != path[: len(key)] or key == path),
        key=lambda found: found[0],
    )
    inside = [number for number, (_, key) in enumerate(spots) if key[:2] == path]
    if not inside:
        raise NotFoundError(f"{file} does not describe a {section[:-1]} {name!r}.")
    lines = source.splitlines()
    if inside[-1] - inside[0] + 1 != len(inside):
        return Part(file, source, 0, len(lines))
    first = positions.at(spots[inside[0]][0])[0] - 1
    after = inside[-1] + 1
    end = positions.at(spots[after][0])[0] - 1 if after < len(spots) else len(lines)
    if end <= first:
        return Part(file, source, 0, len(lines))
    # Comments right above what comes next belong to that.
    if after < len(spots):
        while end > first + 1 and lines[end - 1].lstrip().startswith("#"):
            end -= 1
    while end > first + 1 and not lines[end - 1].strip():
        end -= 1
    return Part(file, source, first, end)


def put_back(part: Part, text: str) -> None:
    """Write the file with ``text`` in place of the part. Raises ProjectFileError, and writes nothing, where
    the result is not right; BusyError where the file was changed meanwhile."""
    source = part.changed(text)
    parse(source, part.file)
    if read_source(part.file) != part.source:
        raise BusyError(
            f"{part.file} was changed meanwhile.",
            why="Writing would undo that change.",
            remedy="look at the file, and make the change again",
        )
    if source != part.source:
        write_whole(part.file.resolve(), source.encode())
