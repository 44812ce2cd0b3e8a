"""Three ways to show operations: a live tree, plain lines, nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO

import msgspec

from core.cli import amounts, cells, tree
from core.cli.board import Board
from core.cli.lines import Tail
from core.cli.look import Look, capable
from core.cli.output import Output
from core.cli.painter import Painter
from core.model.operation import Operation, Step, StepState

FRAME = 0.1
"""Seconds between two frames."""


class Display(Protocol):
    """Shows what a Board says. ``tick`` is called whenever something changed, and every tenth of a second."""

    wants_log: bool
    """Shows what operations write."""
    whole_log: bool
    """Needs every byte of the logs, not only their ends."""

    def tick(self, board: Board, ids: list[str], grown: dict[str, bytes]) -> None:
        """``grown``: what came to the logs since the last call."""

    def say(self, text: str) -> None:
        """A line from the command itself."""

    def close(self, board: Board, ids: list[str]) -> None:
        """The last call: leave things as they should be read."""


def display_for(output: Output) -> Display:
    """The display that fits the options and the stream."""
    stream, look = output.progress, output.progress_look
    if output.options.quiet:
        return Silent(stream)
    if capable(stream):
        return LiveTree(Painter(stream), look, verbose=output.options.verbose)
    return PlainLines(stream, look, details=output.options.verbose > 0)


class Silent:
    """Shows nothing but what must be read."""

    wants_log = False
    whole_log = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tick(self, board: Board, ids: list[str], grown: dict[str, bytes]) -> None:
        pass

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def close(self, board: Board, ids: list[str]) -> None:
        pass


class LiveTree:
    """The tree of steps, drawn in place; what has ended is left standing above it."""

    wants_log = True

    def __init__(
        self,
        painter: Painter,
        look: Look,
        *,
        verbose: int = 0,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._painter = painter
        self._look = look
        self._verbose = verbose
        self._clock = clock
        self._steady = steady
        self._tails: dict[str, Tail] = {}
        self._above: list[str] = []
        self._printed: set[str] = set()
        self._beat = 0
        self._last = float("-inf")
        self.whole_log = verbose > 0

    def tick(self, board: Board, ids: list[str], grown: dict[str, bytes]) -> None:
        for id, data in grown.items():
            lines = self._tails.setdefault(id, Tail()).feed(data)
            if self._verbose:
                self._above += [self._line(board, ids, id, line) for line in lines]
        now = self._steady()
        if now - self._last >= FRAME * 0.9:
            self._last = now
            self._draw(board, ids)

    def say(self, text: str) -> None:
        self._above.append(text)
        self._last = float("-inf")

    def close(self, board: Board, ids: list[str]) -> None:
        if self._verbose:
            for id, tail in self._tails.items():
                self._above += [self._line(board, ids, id, line) for line in tail.flush()]
        self._draw(board, ids)
        self._painter.paint([], [])

    def _draw(self, board: Board, ids: list[str]) -> None:
        self._beat += 1
        columns, lines = self._painter.size()
        frame = tree.Frame(
            width=columns,
            height=lines,
            now=self._clock(),
            beat=self._beat,
            look=self._look,
            details=self._verbose > 1,
            output=0 if self._verbose else 6,
        )
        above, self._above = self._above, []
        for id in ids:
            operation = board.operations.get(id)
            if operation is not None and operation.state.ended and id not in self._printed:
                self._printed.add(id)
                above += tree.final(board, operation, frame)
        running = [id for id in ids if id not in self._printed]
        tails = {id: tail.last(12) for id, tail in self._tails.items()}
        self._painter.paint(above, tree.live(board, running, tails, frame))

    def _line(self, board: Board, ids: list[str], id: str, line: str) -> str:
        text = cells.clean(line, colours=self._look.colour)
        end = cells.RESET if "\x1b" in text else ""
        if len(ids) == 1:
            return text + end
        return f"{self._look.label(short_name(board.operations[id]), ids.index(id))} {text}{end}"


class PlainLines:
    """A line for everything that happens, each with the name of what it belongs to."""

    wants_log = True
    whole_log = True
    _SPEAK_AGAIN = 10.0

    def __init__(
        self,
        stream: TextIO,
        look: Look,
        *,
        details: bool = False,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._look = look
        self._details = details
        self._steady = steady
        self._tails: dict[str, Tail] = {}
        self._told: dict[tuple[str, int], StepState] = {}
        self._waiting: dict[str, str] = {}
        self._ended: set[str] = set()
        self._progress: dict[tuple[str, int], float] = {}

    def tick(self, board: Board, ids: list[str], grown: dict[str, bytes]) -> None:
        for id in ids:
            operation = board.operations.get(id)
            if operation is None or id in self._ended:
                continue
            self._operation(operation)
            steps = sorted(board.steps.get(id, {}).values(), key=lambda step: step.id)
            for step in steps:
                self._begin(operation, step)
            if id in grown:
                for line in self._tails.setdefault(id, Tail(1)).feed(grown[id]):
                    self._output(operation, line)
            for step in steps:
                self._end(operation, step)
            if operation.state.ended:
                self._ended.add(id)
                self._finish(operation)
        self._stream.flush()

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def close(self, board: Board, ids: list[str]) -> None:
        self.tick(board, ids, {})

    def _print(self, operation: Operation, text: str) -> None:
        print(f"[{short_name(operation)}] {text}", file=self._stream)

    def _output(self, operation: Operation, line: str) -> None:
        self._print(operation, f"  {cells.clean(line, colours=self._look.colour)}".rstrip())

    def _operation(self, operation: Operation) -> None:
        if operation.state is StepState.WAITING and operation.detail != self._waiting.get(operation.id, ""):
            self._waiting[operation.id] = operation.detail
            self._print(operation, operation.detail)

    def _begin(self, operation: Operation, step: Step) -> None:
        if step.state is StepState.WAITING or (step.operation, step.id) in self._told:
            self._advance(operation, step)
            return
        self._told[step.operation, step.id] = StepState.RUNNING
        self._progress[step.operation, step.id] = self._steady()
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
        if self._steady() - self._progress.get(key, 0.0) < self._SPEAK_AGAIN:
            return
        self._progress[key] = self._steady()
        far = tree.progress_text(
            step.progress, msgspec.structs.replace(self._look, colour=False), narrow=True
        )
        self._print(operation, f"{cells.clean(step.name)}: {far}")

    def _end(self, operation: Operation, step: Step) -> None:
        key = (step.operation, step.id)
        if not step.state.ended or self._told.get(key) is not StepState.RUNNING:
            return
        self._told[key] = step.state
        took = step.ended - step.started if step.started and step.ended else 0.0
        if step.state is not StepState.DONE:
            detail = f" ({cells.clean(step.detail)})" if step.detail else ""
            self._print(operation, f"{cells.clean(step.name)}: {step.state}{detail}")
        elif took >= 1.0 or self._details:
            self._print(operation, f"{cells.clean(step.name)}: done in {amounts.duration(took)}")

    def _finish(self, operation: Operation) -> None:
        for line in self._tails.get(operation.id, Tail(1)).flush():
            self._output(operation, line)
        took = operation.ended - operation.started if operation.started and operation.ended else 0.0
        detail = f": {cells.clean(operation.detail)}" if operation.detail else ""
        title = cells.clean(operation.title)
        if operation.state is StepState.DONE:
            self._print(operation, f"{title}: done in {amounts.duration(took)}{detail}")
        else:
            self._print(operation, f"{title}: {operation.state}{detail}")


def short_name(operation: Operation) -> str:
    """``web`` for the operations on a machine of that name, else the last word of the title."""
    name = operation.subject.rpartition(":")[2] or operation.title
    return cells.clean(name)
