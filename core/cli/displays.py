"""Ways to show operations: a live tree, nothing, and (in a module of their own) plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO

from core.cli import cells, tree
from core.cli.board import Board
from core.cli.lines import Piece, Tail
from core.cli.look import Look, capable
from core.cli.output import Output
from core.cli.painter import Painter
from core.cli.plain import PlainLines, short_name

FRAME = 0.1
"""Seconds between two frames."""


class Display(Protocol):
    """Shows what a Board says. ``tick`` is called whenever something changed, and every tenth of a second."""

    wants_log: bool
    """Shows what operations write."""
    whole_log: bool
    """Needs every byte of the logs, not only their ends."""

    def tick(self, board: Board, ids: list[str], grown: dict[str, list[Piece]]) -> None:
        """``grown``: what came to the logs since the last call."""

    def say(self, text: str) -> None:
        """A line from the command itself."""

    def pause(self) -> None:
        """Somebody else writes to the terminal until the next call."""

    def close(self, board: Board, ids: list[str]) -> None:
        """The last call: leave things as they should be read."""


def display_for(output: Output, *, times: bool = False) -> Display:
    """The display that fits the options and the stream. With ``times`` plain lines, each with its time."""
    stream, look = output.progress, output.progress_look
    if output.options.quiet:
        return Silent(stream)
    if times:
        return PlainLines(stream, look, details=output.options.verbose > 0, clock=time.time)
    if capable(stream):
        return LiveTree(Painter(stream), look, verbose=output.options.verbose)
    return PlainLines(stream, look, details=output.options.verbose > 0)


class Silent:
    """Shows nothing but what must be read."""

    wants_log = False
    whole_log = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tick(self, board: Board, ids: list[str], grown: dict[str, list[Piece]]) -> None:
        pass

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def pause(self) -> None:
        pass

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

    def tick(self, board: Board, ids: list[str], grown: dict[str, list[Piece]]) -> None:
        for id, found in grown.items():
            for piece in found:
                lines = self._tails.setdefault(id, Tail()).feed(piece.data)
                if self._verbose:
                    self._above += [self._line(board, ids, id, line) for line in lines]
        now = self._steady()
        if now - self._last >= FRAME * 0.9:
            self._last = now
            self._draw(board, ids)

    def say(self, text: str) -> None:
        self._above.append(text)
        self._last = float("-inf")

    def pause(self) -> None:
        self._painter.clear()
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
