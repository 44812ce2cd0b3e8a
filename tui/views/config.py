"""The part of the project file that describes a machine, as lines to look at."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.errors import BoxwrightError
from core.model.machine import Machine
from core.projects.part import Part, machine_part
from tui.look.lines import Part as Text
from tui.look.lines import clean, cut
from tui.look.signs import Signs
from tui.store import State
from tui.views.steps import problem_lines

Line = list[Text]


def file_of(machine: Machine, state: State) -> Path | None:
    """The project's file, where it is one that can be edited here."""
    view = state.projects.get(machine.key.project)
    file = Path(view.file) if view is not None and view.file else Path(machine.key.project) / "boxwright.toml"
    return file if file.name == "boxwright.toml" else None


def content(machine: Machine, state: State, *, width: int, signs: Signs) -> list[Line]:
    file = file_of(machine, state)
    if file is None:
        return [[("The project has no boxwright.toml: its own file is edited with E.", "muted")]]
    try:
        part = _part(file, machine.name, _stamp(file))
    except BoxwrightError as error:
        lines = problem_lines(error.problem, width, signs)
        return [*lines, [], [("E", "!accent"), (" opens the file in your editor", "muted")]]
    head: Line = [
        (cut(clean(str(file)), width - 20, signs.ellipsis), "muted"),
        (f"  line {part.first + 1}", "muted"),
    ]
    lines = [head, []]
    for number, text in enumerate(part.text.splitlines(), part.first + 1):
        lines.append([(f"{number:>4} ", "muted"), *_coloured(clean(text))])
    return [
        *lines,
        [],
        [
            ("e", "!accent"),
            (" edits it here   ", "muted"),
            ("E", "!accent"),
            (" opens the file in your editor", "muted"),
        ],
    ]


@lru_cache(maxsize=8)
def _part(file: Path, name: str, _stamp: tuple[int, int]) -> Part:
    return machine_part(file, name)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _coloured(text: str) -> Line:
    bare = text.lstrip()
    if bare.startswith("#"):
        return [(text, "muted")]
    if bare.startswith("["):
        return [(text, "!accent")]
    key, equals, value = text.partition("=")
    if equals and '"' not in key:
        return [(key, "text"), (equals, "muted"), (value, "good")]
    return [(text, "good")]
