"""Submits commands and follows their operations to the end, or lets go of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from core.cli.board import Board
from core.cli.displays import Display, display_for
from core.cli.lines import Piece, pieces
from core.client.channel import EngineGoneError
from core.errors import BoxwrightError, RemoteError
from core.model.event import Event, LogGrew, Snapshot, StepChanged
from core.model.operation import Operation, StepState
from core.model.problem import ExitCode, Problem
from core.model.query import GetLog, GetOperation, Log, OperationView

if TYPE_CHECKING:
    from core.cli.build_questions import BuildQuestions
    from core.cli.context import Context
    from core.model.command import Command

_TICK = 0.1
"""Seconds after which to look at the display and at Ctrl-C, though the engine says nothing."""
_SILENCE = 10.0
"""Seconds without news after which to ask: an event that never comes must not hang the command."""
_BLOCK = 262144
_SKIP = 65536
"""Where only the end of a log is shown, more than this is not fetched."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How operations ended, in the order of their commands."""

    operations: tuple[Operation, ...] = ()
    refused: tuple[Problem, ...] = ()
    """Commands that the engine did not take."""
    detached: bool = False
    """The user let go; the operations go on."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.refused + tuple(
            one.problem or Problem(what=f"{one.title}: {one.state}.")
            for one in self.operations
            if one.state.ended and not one.state.good
        )

    @property
    def code(self) -> int:
        """130 where the user cancelled, else the code of the first problem."""
        if self.detached:
            return int(ExitCode.CANCELLED)
        codes = [problem.code for problem in self.problems]
        if ExitCode.CANCELLED in codes:
            return int(ExitCode.CANCELLED)
        return int(codes[0]) if codes else int(ExitCode.DONE)


class Follower:
    """Follows operations with a display; Ctrl-C cancels and waits for the undo, twice lets go, and a third
    time breaks off."""

    def __init__(
        self, context: Context, display: Display | None = None, questions: BuildQuestions | None = None
    ) -> None:
        self._context = context
        self._questions = questions
        self._session = context.session
        self._display = display or display_for(context.output)
        self._board = Board()
        self._read: dict[str, int] = {}
        self._growing: set[str] = set()
        self._ids: list[str] = []
        self._refused: list[Problem] = []
        self._answered = 0
        self._heard = time.monotonic()

    def run(self, commands: Sequence[Command]) -> Outcome:
        """Submit all, so that they run side by side, and follow them to their ends."""
        return self._run(commands, [])

    def watch(self, operations: Sequence[str]) -> Outcome:
        """Follow operations that are under way already."""
        return self._run([], operations)

    def _run(self, commands: Sequence[Command], operations: Sequence[str]) -> Outcome:
        self._ids += operations
        # A subscription that exists before the first command misses nothing of it.
        events = self._subscribe()
        try:
            with self._context.interrupts.listening(self._asked):
                for command in commands:
                    self._submit(command)
                if operations:
                    self._look_again()
                detached = self._follow(events)
        except KeyboardInterrupt:
            self._display.say("The engine does not answer. What it does may go on: boxwright ops")
            raise
        known = tuple(self._board.operations[id] for id in self._ids if id in self._board.operations)
        return Outcome(operations=known, refused=tuple(self._refused), detached=detached)

    def _subscribe(self) -> Iterator[Snapshot | Event | None]:
        events = self._session.events(0, _TICK)
        first = next(events)
        if first is not None:
            self._take(first)
        return events

    def _submit(self, command: Command) -> None:
        try:
            self._ids.append(self._session.submit(command))
        except EngineGoneError:
            raise
        except BoxwrightError as error:
            self._refused.append(error.problem)

    def _follow(self, events: Iterator[Snapshot | Event | None]) -> bool:
        """True when the user let go."""
        try:
            while not self._board.ended(self._ids):
                try:
                    item = next(events)
                    self._take(item) if item is not None else self._check_silence()
                    self._show()
                    self._ask()
                except EngineGoneError as error:
                    events = self._reconnect(error)
                if self._stop_asked():
                    self._display.close(self._board, self._ids)
                    return True
            self._show()
            self._display.close(self._board, self._ids)
            return False
        finally:
            if hasattr(events, "close"):
                events.close()

    def _take(self, item: Snapshot | Event) -> None:
        self._heard = time.monotonic()
        self._board.apply(item)
        if isinstance(item, Event):
            change = item.change
            if isinstance(change, LogGrew):
                self._growing.add(change.operation)
            elif isinstance(change, StepChanged) and change.step.state.ended:
                # What it wrote is there, though it was not told of yet: it is shown before the end is.
                self._growing.add(change.step.operation)

    def _check_silence(self) -> None:
        if time.monotonic() - self._heard > _SILENCE:
            self._heard = time.monotonic()
            self._look_again()

    def _look_again(self) -> None:
        for id in self._ids:
            view = self._session.query(GetOperation(operation=id))
            assert isinstance(view, OperationView)
            for step in view.steps:
                self._board.put_step(step)
            self._growing.add(id)
            self._board.put(view.operation)

    def _reconnect(self, error: EngineGoneError) -> Iterator[Snapshot | Event | None]:
        """The engine is gone: a new one finishes or undoes what was begun; it says how that ended."""
        if self._context.options.in_process:
            raise error
        self._display.say("The engine was lost; a new one puts in order what it left.")
        self._session = self._context.reconnect()
        events = self._subscribe()
        self._look_again()
        return events

    def _asked(self) -> None:
        """Called by the signal itself. The third Ctrl-C ends the command even while an engine that hangs
        keeps it waiting."""
        if self._context.interrupts.count > 2 and not self._context.options.in_process:
            raise KeyboardInterrupt

    def _stop_asked(self) -> bool:
        """Acts on Ctrl-C. True when the user let go."""
        asked = self._context.interrupts.count
        if asked <= self._answered:
            return False
        if self._answered == 0:
            self._cancel()
        self._answered = asked
        if asked == 1:
            return False
        if self._context.options.in_process:
            self._display.say("The engine runs within this command: wait until what was begun is undone.")
            return False
        return True

    def _cancel(self) -> None:
        in_process = self._context.options.in_process
        hint = "" if in_process else " Ctrl-C again lets go and leaves that to the engine."
        self._display.say(f"Cancelling; what was begun is being undone.{hint}")
        for id in self._ids:
            operation = self._board.operations.get(id)
            if operation is None or not operation.state.ended:
                try:
                    self._session.cancel(id)
                except RemoteError as error:
                    self._display.say(error.problem.what)

    def _show(self) -> None:
        self._display.tick(self._board, self._ids, self._grown())

    def _ask(self) -> None:
        """Where a build waits for an answer, give the terminal to whoever asks for it."""
        if self._questions is None:
            return
        for id in self._ids:
            operation = self._board.operations.get(id)
            if operation is None or operation.state is not StepState.RUNNING:
                continue
            asked = self._questions.due(id)
            if asked is not None:
                self._show()
                self._display.pause()
                self._questions.ask(id, asked)

    def _grown(self) -> dict[str, list[Piece]]:
        """What came to the logs of which it is known that they grew."""
        grown: dict[str, list[Piece]] = {}
        if self._display.wants_log:
            for id in self._ids:
                if id in self._growing and (data := self._fetch(id)):
                    grown[id] = data
            self._growing.clear()
        return grown

    def _fetch(self, id: str) -> list[Piece]:
        read = self._read.get(id, 0)
        found: list[Piece] = []
        while True:
            log = self._session.query(GetLog(operation=id, offset=read, limit=_BLOCK))
            assert isinstance(log, Log)
            if not self._display.whole_log and log.size - read > _SKIP + _BLOCK:
                read = log.size - _SKIP
                continue
            if not log.data:
                break
            found += pieces(log)
            read += len(log.data)
            if read >= log.size:
                break
        self._read[id] = read
        return found
