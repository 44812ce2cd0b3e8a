"""What a build asks, asked on this terminal: what to do about a step that failed, whether to go on."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from core.cli import cells
from core.errors import BoxwrightError
from core.model.command import AnswerBuild
from core.model.machine import SSH
from core.model.query import BuildNow, GetBuild

if TYPE_CHECKING:
    from core.cli.context import Context
    from core.model.machine import Endpoint

_LOOK = 0.5
"""Seconds between two questions to the engine whether it has one."""
_SHELL = "shell"


def can_ask(context: Context) -> bool:
    """Somebody sits at a terminal and sees what is asked."""
    output = context.output
    seen = output.progress.isatty() and not output.options.json
    return seen and sys.stdin is not None and sys.stdin.isatty()


class BuildQuestions:
    """Asks and hands the answers to the engine; ``due`` and then ``ask`` are called again and again."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked = 0.0
        self._deaf = False
        """Standard input has ended: answers can only come by ``boxwright answer``."""

    def due(self, operation: str) -> BuildNow | None:
        """What the operation asks now; None for nothing."""
        if self._deaf or time.monotonic() - self._looked < _LOOK:
            return None
        self._looked = time.monotonic()
        return self._now(operation)

    def ask(self, operation: str, asked: BuildNow) -> None:
        """Returns once it is answered, here or by somebody else, or the build has ended."""
        answers = dict(asked.answers)
        if asked.endpoint is not None:
            answers[_SHELL] = "open a shell in the machine, and ask again"
        while True:
            self._print(asked, answers)
            typed = self._line(operation, asked)
            if typed is None:
                return
            fitting = [word for word in answers if typed and word.startswith(typed)]
            if len(fitting) != 1:
                self._tell(f"  {typed!r} is none of them." if typed else "")
            elif fitting[0] == _SHELL and asked.endpoint is not None:
                self._shell(asked.endpoint)
            else:
                self._answer(asked, fitting[0])
                return

    def _now(self, operation: str) -> BuildNow | None:
        try:
            found = self._context.session.query(GetBuild(operation=operation))
        except BoxwrightError:
            # It has ended meanwhile; how, its events tell.
            return None
        assert isinstance(found, BuildNow)
        return found if found.question else None

    def _print(self, asked: BuildNow, answers: dict[str, str]) -> None:
        look = self._context.output.progress_look
        self._tell(look.paint(cells.clean(asked.question), "bold"))
        for word, meaning in answers.items():
            self._tell(f"  {look.paint(f'{word:<8}', 'cyan')}  {meaning}")
        stream = self._context.output.progress
        stream.write(f"{'/'.join(answers)}? ")
        stream.flush()

    def _line(self, operation: str, asked: BuildNow) -> str | None:
        """What was typed; None where nobody needs the answer any more, or cannot give one."""
        interrupts = self._context.interrupts
        before = interrupts.count
        while interrupts.count == before:
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], _LOOK)
            if not ready:
                if self._now(operation) != asked:
                    self._tell("\nIt was answered elsewhere.")
                    return None
                continue
            data = os.read(sys.stdin.fileno(), 4096)
            if not data:
                self._deaf = True
                self._tell(f"\nNobody is here: boxwright answer {asked.name} {'|'.join(asked.answers)}")
                return None
            return data.decode(errors="replace").strip().lower()
        self._tell("")
        return None

    def _shell(self, endpoint: Endpoint) -> None:
        if endpoint.communicator != SSH:
            from core.cli.attached import attach

            try:
                attach(endpoint, None)
            except BoxwrightError as error:
                self._tell(error.problem.what)
            return
        from core.guests.openssh import ssh_command

        try:
            subprocess.run(ssh_command(endpoint), check=False)
        except FileNotFoundError:
            self._tell("There is no OpenSSH client here: apt-get install openssh-client")

    def _answer(self, asked: BuildNow, word: str) -> None:
        command = AnswerBuild(project=asked.project, name=asked.name, answer=word)
        try:
            self._context.session.submit(command)
        except BoxwrightError as error:
            self._tell(error.problem.what)

    def _tell(self, text: str) -> None:
        print(text, file=self._context.output.progress, flush=True)
