"""What describes a machine or a build: its part of the project file, or files that are edited elsewhere."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import amounts
from core.errors import BoxwrightError
from tui.choice import Choice
from tui.look.lines import Part as Text
from tui.look.lines import clean, cut, wrap
from tui.look.signs import Signs
from tui.store import State
from tui.views.steps import problem_lines

if TYPE_CHECKING:
    from core.projects.part import Part

Line = list[Text]

_MOST = 2000
"""Lines of a file that are shown here."""


class Described(msgspec.Struct, frozen=True):
    """Where a machine or a build is described."""

    files: tuple[Path, ...]
    section: str = ""
    """Of the project file; "" for all of it."""
    name: str = ""
    fixed: str = ""
    """Why it is not edited here, in a sentence; "" where it is."""

    def part(self) -> Part:
        """Raises BoxwrightError."""
        from core.projects.part import part_of

        return part_of(self.files[0], self.section, self.name)


def described(choice: Choice, state: State) -> Described | None:
    """The whole project's file where neither a machine nor a build is chosen; None without a project."""
    from core.projects.reader import PROJECT_FILE

    if not choice.project:
        return None
    view = state.projects.get(choice.project)
    file = Path(view.file) if view is not None and view.file else Path(choice.project) / PROJECT_FILE
    if file.name != PROJECT_FILE:
        return Described(_templates(file), fixed="It is described by a template, which is shown as it is.")
    if choice.machine is None and choice.build is None:
        return Described((file,))
    return Described((file,), "builds" if choice.machine is None else "machines", choice.title)


def _templates(file: Path) -> tuple[Path, ...]:
    """A template is a file, or all files of a folder together."""
    if not file.is_dir():
        return (file,)
    return tuple(sorted([*file.glob("*.pkr.hcl"), *file.glob("*.pkr.json")]))


def content(found: Described, *, width: int, signs: Signs) -> list[Line]:
    if found.fixed:
        lines: list[Line] = [[(text, "muted")] for text in wrap(found.fixed, width)]
        for file in found.files:
            lines += [[], *_whole(file, width, signs)]
        return [*lines, [], [("E", "!accent"), (" opens it in your editor", "muted")]]
    file = found.files[0]
    try:
        part = _part(found, stamp(file))
    except BoxwrightError as error:
        lines = problem_lines(error.problem, width, signs)
        return [*lines, [], [("E", "!accent"), (" opens the file in your editor", "muted")]]
    lines = [[*_name(file, width, signs), (f"  line {part.first + 1}", "muted")], []]
    return [
        *lines,
        *_numbered(part.text, part.first + 1),
        [],
        [
            ("e", "!accent"),
            (" edits it here   ", "muted"),
            ("E", "!accent"),
            (" opens the file in your editor", "muted"),
        ],
    ]


def _whole(file: Path, width: int, signs: Signs) -> list[Line]:
    head = _name(file, width, signs)
    try:
        return [head, [], *_numbered(_text(file, stamp(file)), 1)]
    except BoxwrightError as error:
        return [head, *problem_lines(error.problem, width, signs)]


def _name(file: Path, width: int, signs: Signs) -> Line:
    return [(cut(clean(str(file)), width - 20, signs.ellipsis), "muted")]


def _numbered(text: str, first: int) -> list[Line]:
    rows = text.splitlines()
    lines = [
        [(f"{number:>4} ", "muted"), *_coloured(clean(row.expandtabs(4)))]
        for number, row in enumerate(rows[:_MOST], first)
    ]
    if len(rows) > _MOST:
        lines.append([(f"     and {amounts.count(len(rows) - _MOST, 'line')} more", "muted")])
    return lines


@lru_cache(maxsize=8)
def _part(found: Described, _stamp: tuple[int, int]) -> Part:
    return found.part()


@lru_cache(maxsize=8)
def _text(file: Path, _stamp: tuple[int, int]) -> str:
    from core.projects.reader import read_source

    return read_source(file)


def stamp(file: Path) -> tuple[int, int]:
    """Another one once the file has changed."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _coloured(text: str) -> Line:
    bare = text.lstrip()
    if bare.startswith(("#", "//")):
        return [(text, "muted")]
    if bare.startswith("["):
        return [(text, "!accent")]
    key, equals, value = text.partition("=")
    if equals and '"' not in key:
        return [(key, "text"), (equals, "muted"), (value, "good")]
    return [(text, "good" if equals else "text")]
