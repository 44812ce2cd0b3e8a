"""The step tree as lines of text: pure, so that every frame can be tested."""

from __future__ import annotations

import msgspec

from core import amounts
from core.cli import cells
from core.cli.board import Board
from core.cli.look import Look
from core.model.operation import Operation, Progress, Step, StepState

_NARROW = 56
"""Below this many cells there is no bar, only the percentage."""
_HEAD, _ACTIVE, _OUTPUT, _WAITING, _FINISHED = range(5)
"""Ranks of rows: where the screen is too low, the last rank goes first."""


class Row(msgspec.Struct, frozen=True):
    """A line of the tree, and how much it matters."""

    text: str
    rank: int


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What a tree is drawn for: the terminal, the time, how much is wanted."""

    width: int = 80
    height: int = 24
    now: float = 0.0
    beat: int = 0
    """Grows by one with every frame: turns the wheels."""
    look: Look = Look()
    details: bool = False
    """Also the steps below those that went well."""
    output: int = 6
    """Lines of a running step's output; 0 for none."""


def live(board: Board, ids: list[str], tails: dict[str, list[str]], frame: Frame) -> list[str]:
    """The lines for operations that run: at most ``height`` - 1, each at most ``width`` - 1 cells."""
    rows: list[Row] = []
    for id in ids:
        operation = board.operations.get(id)
        if operation is not None:
            rows += operation_rows(board, operation, tails.get(id, []), frame)
    return _fit(rows, frame)


def final(board: Board, operation: Operation, frame: Frame) -> list[str]:
    """The lines that stay of an operation that has ended."""
    return [row.text for row in operation_rows(board, operation, [], frame)]


def operation_rows(board: Board, operation: Operation, tail: list[str], frame: Frame) -> list[Row]:
    """One operation: its head, then its steps."""
    look = frame.look
    left = f"{look.step(operation.state, frame.beat)} {look.paint(operation.title, 'bold')}"
    detail = operation.detail or _verdict(operation.state)
    if detail:
        left += f"  {look.paint(cells.clean(detail), 'dim')}"
    rows = [Row(_spread(left, _elapsed(operation.started, operation.ended, frame), frame), _HEAD)]
    writer = board.writer(operation.id)
    for step in board.children(operation.id, 0):
        rows += _step_rows(board, step, writer, tail, 1, frame)
    if writer == 0 and operation.state is StepState.RUNNING:
        rows += _output_rows(tail, 1, frame)
    return rows


def _step_rows(board: Board, step: Step, writer: int, tail: list[str], depth: int, frame: Frame) -> list[Row]:
    rows = [Row(_step_line(step, depth, frame), _rank(step.state))]
    if step.state.good and not frame.details:
        return rows
    for child in board.children(step.operation, step.id):
        rows += _step_rows(board, child, writer, tail, depth + 1, frame)
    if step.id == writer:
        rows += _output_rows(tail, depth, frame)
    return rows


def _rank(state: StepState) -> int:
    if state is StepState.WAITING:
        return _WAITING
    return _FINISHED if state.good else _ACTIVE


def _step_line(step: Step, depth: int, frame: Frame) -> str:
    look = frame.look
    name = cells.clean(step.name)
    if step.state in (StepState.WAITING, StepState.SKIPPED):
        name = look.paint(name, "dim")
    left = f"{'  ' * depth}{look.step(step.state, frame.beat)} {name}"
    if step.detail:
        left += f"  {look.paint(cells.clean(step.detail), 'dim')}"
    parts = []
    if step.progress is not None and step.state is StepState.RUNNING:
        parts.append(progress_text(step.progress, frame.look, narrow=frame.width < _NARROW))
    if step.state in (StepState.CACHED, StepState.SKIPPED, StepState.WAITING):
        parts.append(look.paint(str(step.state), "dim"))
    else:
        parts.append(_elapsed(step.started, step.ended, frame))
    return _spread(left, "  ".join(part for part in parts if part), frame)


def _output_rows(tail: list[str], depth: int, frame: Frame) -> list[Row]:
    """The last lines of output, in the colours that they came with."""
    if not frame.output:
        return []
    margin = f"{'  ' * depth}  {frame.look.gutter} "
    room = frame.width - 1 - cells.width(margin)
    lines = [cells.clean(line[-cells.LONGEST :], colours=frame.look.colour) for line in tail]
    shown = [line for line in lines if cells.strip(line).strip()][-frame.output :]
    rows = []
    for line in shown:
        text = cells.clip(line, room, more=frame.look.more)
        end = cells.RESET if "\x1b" in text and not text.endswith(cells.RESET) else ""
        rows.append(Row(margin + text + end, _OUTPUT))
    return rows


def _verdict(state: StepState) -> str:
    return "" if state.good or not state.ended else str(state)


def _elapsed(started: float, ended: float, frame: Frame) -> str:
    if not started:
        return ""
    return frame.look.paint(amounts.duration((ended or frame.now) - started), "dim")


def progress_text(progress: Progress, look: Look, *, narrow: bool = False) -> str:
    """``▰▰▰▱▱ 45 %  12.0 MiB/s  0:42 left``; without a total what there is so far."""
    sized = progress.unit == "bytes"

    def amount(number: float) -> str:
        return amounts.size(number) if sized else f"{number:g} {progress.unit}".strip()

    if not progress.total:
        parts = [amount(progress.current)]
    else:
        part = max(0.0, min(1.0, progress.current / progress.total))
        parts = [f"{int(part * 100)} %"]
        if not narrow:
            parts[0] = f"{look.bar(part, 10)} {parts[0]}"
    if progress.rate > 0 and not narrow:
        if sized:
            parts.append(f"{amounts.size(progress.rate)}/s")
        if progress.total and progress.current < progress.total:
            left = (progress.total - progress.current) / progress.rate
            parts.append(look.paint(f"{amounts.clock(left)} left", "dim"))
    return "  ".join(parts)


def _spread(left: str, right: str, frame: Frame) -> str:
    """``left``, and ``right`` at the right edge; where there is no room, ``left`` is cut."""
    width = max(1, frame.width - 1)
    taken = cells.width(right)
    if not right or taken + 12 > width:
        return cells.clip(left, width, more=frame.look.more)
    left = cells.clip(left, width - taken - 2, more=frame.look.more)
    return cells.pad(left, width - taken) + right


def _fit(rows: list[Row], frame: Frame) -> list[str]:
    """At most ``height`` - 1 lines: what matters least goes, the rest is counted."""
    room = max(1, frame.height - 1)
    kept = list(rows)
    for rank in (_FINISHED, _WAITING, _OUTPUT, _ACTIVE):
        surplus = len(kept) - room
        if surplus <= 0:
            break
        fewer = []
        for row in kept:
            if row.rank == rank and surplus > 0:
                surplus -= 1
            else:
                fewer.append(row)
        kept = fewer
    if len(kept) > room:
        hidden = len(kept) - room + 1
        note = frame.look.paint(f"{frame.look.more} and {hidden} more", "dim")
        return [row.text for row in kept[: room - 1]] + [cells.clip(note, max(1, frame.width - 1))]
    return [row.text for row in kept]
