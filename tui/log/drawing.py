"""The rows of a log as they are drawn: headings, what stands before lines, and the last line."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from rich.cells import cell_len

from core import amounts
from core.model.operation import LogSegment, Operation, Step, StepState
from tui.log.finding import Finding
from tui.log.reel import Seen
from tui.log.script import Script, Section
from tui.look import signs as signs_of
from tui.look.lines import Part, clean, cut, spread
from tui.look.signs import Signs
from tui.store import State

OWNERS = ("accent", "good", "warn", "cached", "busy", "bad")
"""Roles of the colours in which the machines of a merged log are told apart."""
_CLOCK = "%H:%M:%S"


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A log to look at. ``owner``: whose it is, where several are shown together. ``run``: of what, where
    there are other runs."""

    path: str
    owner: str = ""
    run: str = ""
    segments: tuple[LogSegment, ...] = ()
    steps: tuple[Step, ...] = ()


def log_file(operation: Operation, state: State, owner: str = "", place: str = "") -> LogFile:
    """The log of an operation, with what is known of it. ``place``: which of several runs it is."""
    return LogFile(
        path=state.log_paths.get(operation.id, ""),
        owner=owner,
        run=f"{clean(operation.title)}, {place}" if place else "",
        segments=state.segments.get(operation.id, ()),
        steps=state.steps_of(operation.id),
    )


def heading(
    section: Section, script: Script, files: Sequence[LogFile], signs: Signs, width: int, now: float
) -> list[Part]:
    """Whether it is folded, the step's state, its name, and how long it took."""
    file = files[section.source]
    step = next((step for step in file.steps if step.id == section.step), None)
    arrow = signs.closed if script.is_folded(section) else signs.open
    sign, role = signs_of.of_step(step.state, signs) if step else (signs.dot, "muted")
    left: list[Part] = [(f"{arrow} ", "accent"), (f"{sign} ", role)]
    if file.owner:
        left.append((f"{clean(file.owner)}  ", owner_role(section.source)))
    left.append((clean(step.name) if step else f"step {section.step}", "!text"))
    if section.goes_on:
        left.append((" goes on", "muted"))
    lines = amounts.count(section.end - section.first, "line")
    right: list[Part] = [(lines, "muted")] if script.is_folded(section) else []
    if step is not None and step.state in (StepState.FAILED, StepState.CANCELLED):
        right.append((f"  {step.state.value}", role))
    if step is not None and step.started:
        right.append((f"{amounts.duration(max(0.0, (step.ended or now) - step.started)):>9}", "muted"))
    return spread(left, right, width, signs.ellipsis)


def owner_role(source: int) -> str:
    return OWNERS[source % len(OWNERS)]


def gutter_width(files: Sequence[LogFile], *, times: bool) -> int:
    """Columns before each line."""
    return (9 if times else 0) + (_owners(files) + 3 if _owners(files) else 0)


def _owners(files: Sequence[LogFile]) -> int:
    """Columns for names of machines; none where all is one machine's."""
    return min(14, max((cell_len(clean(file.owner)) for file in files), default=0))


def gutter(seen: Seen, script: Script, files: Sequence[LogFile], *, times: bool, signs: Signs) -> list[Part]:
    """The time, and whose line it is."""
    parts: list[Part] = []
    if times:
        when = script.sources[seen.section.source].time_of(seen.line) if seen.begins else 0.0
        parts.append((f"{_clock(when):<9}", "muted"))
    room = _owners(files)
    if room:
        name = cut(clean(files[seen.section.source].owner), room, signs.ellipsis)
        role = owner_role(seen.section.source)
        parts += [(name + " " * (room - cell_len(name)), role), (f" {signs.rail} ", role)]
    return parts


def _clock(when: float) -> str:
    return time.strftime(_CLOCK, time.localtime(when)) if when else ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the last line tells."""

    row: int
    follow: bool
    wrapped: bool
    times: bool
    left: int
    found: int
    """Rank of the match that is shown, 0 for none."""
    searching: bool
    run: str


_KEYS = "/ search  e errors  t times  - fold  W wrap"
_KEYS_OF_MATCHES = "n next  N before  e errors  W wrap"


def status(
    standing: Standing, script: Script, finding: Finding | None, signs: Signs, width: int
) -> list[Part]:
    parts: list[Part] = (
        [(f"{cut(standing.run, width // 2, signs.ellipsis)}  ", "accent")] if standing.run else []
    )
    if script.rows:
        section, line = script.at(min(standing.row, script.rows - 1))
        if len(script.sources) == 1:
            first = max(section.first, line) + 1
            parts.append((f"line {first:,} of {script.total:,}", "muted"))
        else:
            parts.append((f"row {standing.row + 1:,} of {script.rows:,}", "muted"))
    parts.append(("  follows" if standing.follow else "", "good"))
    for word, holds in (("wrapped", standing.wrapped), ("times", standing.times)):
        parts += [(f"  {word}", "muted")] if holds else []
    if standing.left:
        parts.append((f"  from column {standing.left + 1:,}", "muted"))
    if finding is not None:
        rank = f"{standing.found:,} of " if standing.found else ""
        dots = signs.ellipsis if standing.searching else ""
        parts.append((f"  /{cut(finding.title, 20)}  {rank}{finding.count:,}{dots}", "accent"))
    keys = _KEYS if finding is None else _KEYS_OF_MATCHES
    used = sum(cell_len(text) for text, _ in parts)
    if width - used - len(keys) >= 3:
        parts += [(" " * (width - used - len(keys)), "text"), (keys, "muted")]
    return parts
