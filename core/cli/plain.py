"""Operations as plain lines, for pipes, files and terminals that can do no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from core import amounts
from core.cli import cells, tree
from core.cli.board import Board
from core.cli.lines import LineCutter, Piece
from core.cli.look import Look
from core.model.operation import Operation, Step, StepState

_SPEAK_AGAIN = 10.0
"""Seconds between two lines that tell of the progress of one step."""


class PlainLines:
    """A line for everything that happens, each with the name of what it belongs to.

    A step's beginning comes before its output, and its end after it, in whatever order news arrive.
    """

    wants_log = True
    whole_log = True

    def __init__(
        self,
        stream: TextIO,
        look: Look,
        *,
        details: bool = False,
        steady: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``clock``: says the time that each line begins with; without it lines have none."""
        self._stream = stream
        self._clock = clock
        self._look = look
        self._details = details
        self._steady = steady
        self._cutters: dict[tuple[str, int], LineCutter] = {}
        self._told: dict[tuple[str, int], StepState] = {}
        self._early: dict[str, list[Piece]] = {}
        """Output of steps that nobody has told of yet."""
        self._waiting: dict[str, str] = {}
        self._ended: set[str] = set()
        self._spoken: dict[tuple[str, int], float] = {}

    def tick(self, board: Board, ids: list[str], grown: dict[str, list[Piece]]) -> None:
        for id in ids:
            operation = board.operations.get(id)
            if operation is not None and id not in self._ended:
                self._tell(board, operation, grown.get(id, []))
        self._stream.flush()

    def say(self, text: str) -> None:
        print(f"{self._time()}{text}", file=self._stream, flush=True)

    def pause(self) -> None:
        self._stream.flush()

    def _time(self) -> str:
        """As Packer has it: ``2026-11-28T09:48:57Z: ``."""
        if self._clock is None:
            return ""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ: ", time.gmtime(self._clock()))

    def close(self, board: Board, ids: list[str]) -> None:
        self.tick(board, ids, {})

    def _tell(self, board: Board, operation: Operation, found: list[Piece]) -> None:
        steps = board.shown(operation.id)
        self._wait_told(operation)
        over = operation.state.ended
        pending = self._early.pop(operation.id, []) + found
        while pending and (over or not pending[0].step or pending[0].step in steps):
            piece = pending.pop(0)
            self._up_to(operation, steps, piece.step, pending)
            for line in self._cutters.setdefault((operation.id, piece.step), LineCutter()).feed(piece.data):
                self._output(operation, line)
        if pending:
            self._early[operation.id] = pending
        self._up_to(operation, steps, max(steps, default=0) + 1, pending)
        if over:
            self._ended.add(operation.id)
            self._finish(operation)

    def _up_to(self, operation: Operation, steps: dict[int, Step], number: int, pending: list[Piece]) -> None:
        """Begin all steps up to ``number``; end those before it that have ended and written all."""
        writing = {piece.step for piece in pending}
        for id in sorted(steps):
            if id <= number:
                self._begin(operation, steps[id])
            if id < number and id not in writing:
                self._end(operation, steps[id])

    def _print(self, operation: Operation, text: str) -> None:
        print(f"{self._time()}[{short_name(operation)}] {text}", file=self._stream)

    def _output(self, operation: Operation, line: str) -> None:
        self._print(operation, f"  {cells.clean(line, colours=self._look.colour)}".rstrip())

    def _wait_told(self, operation: Operation) -> None:
        if operation.state is StepState.WAITING and operation.detail != self._waiting.get(operation.id, ""):
            self._waiting[operation.id] = operation.detail
            self._print(operation, operation.detail)

    def _begin(self, operation: Operation, step: Step) -> None:
        if step.state is StepState.WAITING or (step.operation, step.id) in self._told:
            self._advance(operation, step)
            return
        self._told[step.operation, step.id] = StepState.RUNNING
        self._spoken[step.operation, step.id] = self._steady()
        detail = f" ({cells.clean(step.detail)})" if step.detail else ""
        if step.state in (StepState.CACHED, StepState.SKIPPED):
            self._told[step.operation, step.id] = step.state
            self._print(operation, f"{cells.clean(step.name)}: {step.state}{detail}")
        else:
            self._print(operation, f"{cells.clean(step.name)}{detail}")

    def _advance(self, operation: Operation, step: Step) -> None:
        """Now and then how far a long step is."""
        key = (step.operation, step.id)
        if step.progress is None or step.state is not StepState.RUNNING:
            return
        if self._steady() - self._spoken.get(key, 0.0) < _SPEAK_AGAIN:
            return
        self._spoken[key] = self._steady()
        far = tree.progress_text(step.progress, Look(unicode=self._look.unicode), narrow=True)
        self._print(operation, f"{cells.clean(step.name)}: {far}")

    def _end(self, operation: Operation, step: Step) -> None:
        key = (step.operation, step.id)
        if not step.state.ended or self._told.get(key) is not StepState.RUNNING:
            return
        self._told[key] = step.state
        for line in self._cutters.get(key, LineCutter()).flush():
            self._output(operation, line)
        took = step.ended - step.started if step.started and step.ended else 0.0
        if step.state is not StepState.DONE:
            detail = f" ({cells.clean(step.detail)})" if step.detail else ""
            self._print(operation, f"{cells.clean(step.name)}: {step.state}{detail}")
        elif took >= 1.0 or self._details:
            self._print(operation, f"{cells.clean(step.name)}: done in {amounts.duration(took)}")

    def _finish(self, operation: Operation) -> None:
        for (id, _step), cutter in self._cutters.items():
            if id == operation.id:
                for line in cutter.flush():
                    self._output(operation, line)
        took = operation.ended - operation.started if operation.started and operation.ended else 0.0
        detail = f": {cells.clean(operation.detail)}" if operation.detail else ""
        title = cells.clean(operation.title)
        what = "" if title == short_name(operation) else f"{title}: "
        if operation.state is StepState.DONE:
            self._print(operation, f"{what}done in {amounts.duration(took)}{detail}")
        else:
            self._print(operation, f"{what}{operation.state}{detail}")


def short_name(operation: Operation) -> str:
    """``web`` for what is done with a machine or a build of that name, else the title."""
    subject = operation.subject
    if not subject or subject.startswith("box:"):
        return cells.clean(operation.title)
    return cells.clean(subject.rpartition(":")[2])
