"""An operation as a tree of steps, and how it failed: pure functions from the state to lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from core import amounts
from core.model.operation import Operation, Step, StepState
from core.model.problem import Problem
from tui.look import signs as signs_of
from tui.look.lines import Part, clean, cut, spread, width_of, wrap
from tui.look.signs import Signs
from tui.panes.content import progress_text

Line = list[Part]

_NUMBERED = re.compile(r"\b(\d+)/(\d+)\b")
_COMPARED = 60
"""Columns below which there is no room to say how long a step took the last time."""
_LEAST_DETAIL = 12
"""Columns in which the beginning of a detail still says something."""
_TAIL = 6
"""Lines of output shown below the step that runs."""


class StepsContent(msgspec.Struct, frozen=True):
    """Lines, below which numbers the steps stand that can be opened (``step:N``), and what those say
    that are cut."""

    lines: list[Line]
    targets: dict[int, str]
    whole: dict[int, str] = {}


class Shortcut(msgspec.Struct, frozen=True):
    """What can be done about a failure: its key and its name."""

    key: str
    title: str
    brief: str = ""
    """Where there is little room, another title."""


def content(
    operation: Operation,
    steps: Sequence[Step],
    *,
    width: int,
    signs: Signs,
    now: float,
    tail: Sequence[str] = (),
    shortcuts: Sequence[Shortcut] = (),
    place: str = "",
    before: Mapping[str, float] = {},
    asked: Problem | None = None,
) -> StepsContent:
    """``tail``: the last lines of output, shown while the operation runs. ``place``: which of several runs
    this is; ``before``: seconds that the steps took the last time, by name. ``asked``: what has failed while
    it still runs and asks what to do."""
    lines = [_heading(operation, width, now, signs, place), _command_line(operation, width, signs), []]
    targets: dict[int, str] = {}
    whole = {1: operation.command_line}
    running = [step for step in steps if step.state is StepState.RUNNING]
    leaf = running[-1] if running else None
    for step, depth in _tree(steps):
        targets[len(lines)] = f"step:{step.id}"
        whole[len(lines)] = f"{step.name}  {step.detail}".rstrip()
        beside = _step_line(step, depth, width, now, signs, before if width >= _COMPARED else {})
        lines.append(beside)
        lines.extend(_details(step, beside, depth, width))
        if leaf is not None and step.id == leaf.id:
            lines.extend(_tail_lines(tail, depth, width, signs))
    if not steps:
        lines.append([(_nothing_yet(operation), "muted")])
    problem = operation.problem or asked
    if problem is not None:
        lines.append([])
        lines.extend(problem_lines(problem, width, signs, shortcuts))
    told = ["".join(text for text, _ in line) for line in lines]
    cut_off = {number: clean(text) for number, text in whole.items() if clean(text) not in told[number]}
    return StepsContent(lines, targets, cut_off)


def problem_lines(
    problem: Problem, width: int, signs: Signs, shortcuts: Iterable[Shortcut] = ()
) -> list[Line]:
    """What happened, why, the last lines of output, what mends it, and the keys for it."""
    inner = max(10, width - 4)
    lines: list[Line] = []
    for number, text in enumerate(wrap(problem.what, inner)):
        lines.append([(f"{signs.failed} " if not number else "  ", "bad"), (text, "!bad")])
    if problem.place:
        lines += [[("  ", "text"), (text, "muted")] for text in wrap(str(problem.place), inner)]
        if problem.place.text:
            lines.append([(f"  {signs.rail} ", "bad"), (cut(clean(problem.place.text), inner), "text")])
    if problem.why:
        lines += [[("  ", "text"), (text, "text")] for text in wrap(problem.why, inner)]
    if problem.tail:
        lines.append([])
        for told in problem.tail:
            # Output is cut as a terminal would; further mistakes of a file are there to be read.
            whole = wrap(clean(told), inner) if problem.place else [cut(clean(told), inner, signs.ellipsis)]
            lines += [[(f"  {signs.rail} ", "bad"), (text, "text")] for text in whole]
    if problem.remedy:
        lines.append([])
        lines.append([("  To mend it", "!accent")])
        lines += [[("  ", "text"), (text, "text")] for text in wrap(problem.remedy, inner)]
    if problem.report:
        lines += [[("  ", "text"), (text, "muted")] for text in wrap(f"Report: {problem.report}", inner)]
    offered = [*shortcuts]
    return [*lines, [], *_key_lines(offered, width)] if offered else lines


def _key_lines(shortcuts: Sequence[Shortcut], width: int) -> list[Line]:
    """In one line with whole titles or else with brief ones, where that is possible."""
    whole, brief = (
        [
            [("  ", "text"), (one.key, "!accent"), (f" {(short and one.brief) or one.title}", "text")]
            for one in shortcuts
        ]
        for short in (False, True)
    )
    keys: list[Line] = []
    for each in whole if sum(map(width_of, whole)) <= width else brief:
        if not keys or width_of(keys[-1]) + width_of(each) > width:
            keys.append([])
        keys[-1] += each
    return keys


def failed_provisioner(steps: Sequence[Step], titles: Sequence[str]) -> int:
    """The number, counted from 1, of the provisioner whose step failed; 0 where none did."""
    for step in steps:
        if step.state not in (StepState.FAILED, StepState.CANCELLED):
            continue
        found = _NUMBERED.search(step.name)
        if found and step.name.lower().startswith("provision"):
            return int(found[1])
        for number, title in enumerate(titles, 1):
            if title and title in step.name:
                return number
    return 0


def _heading(operation: Operation, width: int, now: float, signs: Signs, place: str) -> Line:
    sign, role = signs_of.of_step(operation.state, signs)
    words = operation.state.value
    if operation.state is StepState.WAITING and operation.detail:
        words = f"waiting: {operation.detail}"
    left: Line = [(f"{sign} ", role), (clean(operation.title), "!text"), (f"  {clean(words)}", role)]
    right: Line = [(f"{place}  ", "accent")] if place else []
    right.append((_span(operation.started, operation.ended, now), "muted"))
    return spread(left, right, width, signs.ellipsis)


def _command_line(operation: Operation, width: int, signs: Signs) -> Line:
    if not operation.command_line:
        return []
    return [(cut(f"  $ {clean(operation.command_line)}", width, signs.ellipsis), "muted")]


def _tree(steps: Sequence[Step]) -> Iterable[tuple[Step, int]]:
    below: dict[int, list[Step]] = {}
    for step in steps:
        below.setdefault(step.parent, []).append(step)
    stack = [(step, 0) for step in reversed(below.get(0, []))]
    while stack:
        step, depth = stack.pop()
        yield step, depth
        stack += [(child, depth + 1) for child in reversed(below.get(step.id, []))]


def _step_line(
    step: Step, depth: int, width: int, now: float, signs: Signs, before: Mapping[str, float]
) -> Line:
    sign, role = signs_of.of_step(step.state, signs)
    left: Line = [
        ("  " * depth, "text"),
        (f"{sign} ", role),
        (clean(step.name), "text" if step.started else "muted"),
    ]
    right: Line = []
    if step.state is StepState.RUNNING and step.progress:
        right = [(_progress(step, signs), "busy"), ("  ", "text")]
    right.append((f"{_ending(step, now):>9}", role if step.state in _WORDS else "muted"))
    if before:
        took = before.get(step.name)
        right.append((f"{'' if took is None else f'last {amounts.duration(took)}':>15}", "muted"))
    room = width - width_of(left) - width_of(right) - 4
    detail = clean(step.detail)
    if detail and room >= (len(detail) if _told_below(step) else _LEAST_DETAIL):
        left.append((f"  {cut(detail, room, signs.ellipsis)}", "muted"))
    return spread(left, right, width, signs.ellipsis)


def _told_below(step: Step) -> bool:
    """Where there is no room for all of its detail, that stands below it as a whole."""
    return step.state in (StepState.RUNNING, StepState.FAILED)


_WORDS = (StepState.CACHED, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED, StepState.WAITING)


def _ending(step: Step, now: float) -> str:
    return step.state.value if step.state in _WORDS else _span(step.started, step.ended, now)


def _progress(step: Step, signs: Signs) -> str:
    progress = step.progress
    assert progress is not None
    text = progress_text(progress, signs, 10)
    if progress.unit in ("bytes", "B") and progress.rate:
        text += f"  {amounts.size(progress.rate)}/s"
    if progress.total and progress.rate:
        text += f"  {amounts.clock((progress.total - progress.current) / progress.rate)} left"
    return text


def _details(step: Step, beside: Line, depth: int, width: int) -> Iterable[Line]:
    """A detail that did not fit beside its step: below it, while the step runs or where it failed."""
    detail = clean(step.detail)
    if not detail or not _told_below(step) or any(detail in text for text, _ in beside):
        return
    indent = "  " * depth + "    "
    for text in wrap(detail, max(10, width - len(indent)))[:3]:
        yield [(indent, "text"), (text, "muted")]


def _tail_lines(tail: Sequence[str], depth: int, width: int, signs: Signs) -> Iterable[Line]:
    indent = "  " * depth + "  "
    for text in tail[-_TAIL:]:
        yield [
            (indent, "text"),
            (f"{signs.rail} ", "border"),
            (cut(clean(text), width - len(indent) - 2, signs.ellipsis), "muted"),
        ]


def _span(started: float, ended: float, now: float) -> str:
    if not started:
        return ""
    return amounts.duration((ended or now) - started)


def _nothing_yet(operation: Operation) -> str:
    if operation.state is StepState.WAITING:
        return "It has not begun yet."
    if operation.state is StepState.CACHED:
        return "It is up to date: there was nothing to do (--force builds it anew)."
    return "It ended before its first step." if operation.state.ended else "It is about to begin."
