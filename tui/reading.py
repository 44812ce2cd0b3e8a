"""Commands that only show something: answered with queries, shown in a dialog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import amounts
from core.model.operation import Operation
from core.model.problem import Problem
from tui.choice import Choice
from tui.look.lines import Part, wrap
from tui.type_ahead import ANSWER, without_waiting
from tui.views.steps import problem_lines

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench

Line = list[Part]


TOLD = frozenset({"box.update", "box.remove", "box.prune", "box.verify", "box.import"})
"""Operations whose result says more than that it is done."""

_SHORT = 60
"""Characters of what is told in the last line."""
_WIDEST = 10_000
"""Columns in which every step has one line."""


class Reading:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench
        self._bridge = workbench.bridge

    def table(self) -> dict[str, Callable[[Choice], Any]]:
        def later(show: Callable[[Choice], Any]) -> Callable[[Choice], Any]:
            async def shown(choice: Choice) -> None:
                without_waiting(ANSWER)
                await show(choice)

            return lambda choice: self._actions.begin(shown(choice))

        return {
            "machine.ssh-config": later(self._ssh_config),
            "project.validate": later(self._validate),
            "operation.list": later(self._operations),
        }

    def _info(
        self, title: str, lines: Callable[[int], list[Line]], targets: dict[int, str] | None = None
    ) -> Any:
        from tui.dialogs.info import Info

        hint = "enter shows it, esc closes" if targets else ""
        return Info(title, lines, targets, hint=hint)

    def _text(self, title: str, text: str) -> None:
        self._app.push_screen(
            self._info(title, lambda width: [[(line, "text")] for line in wrap(text, width)])
        )

    async def _ssh_config(self, choice: Choice) -> None:
        from core.guests.openssh import ssh_config

        machine = choice.machine
        if machine is None or machine.endpoint is None:
            self._bench.say("Where the guest listens is not known yet.", "warn")
            return
        self._text("SSH config", ssh_config(machine.name, machine.endpoint))

    async def _validate(self, choice: Choice) -> None:
        root = choice.project or self._bridge.project
        found, right = await asyncio.to_thread(_checked, root)
        signs = self._app.look.signs
        if not found:
            self._bench.say(f"{signs.done} {right}", "good")
            return

        def lines(width: int) -> list[Line]:
            out: list[Line] = [[(f"{amounts.count(len(found), 'mistake')}", "!bad")]]
            for problem in found:
                out += [[], *problem_lines(problem, width, signs)]
            return out

        self._app.push_screen(self._info("Validate", lines))

    async def init(self, box: str) -> None:
        """A new project for ``box``, or as that template, in the folder of the workbench's start."""
        from core.projects.init import create, templates

        folder = Path.cwd()
        template = box if box in {known.name for known in templates()} else ""
        files = await asyncio.to_thread(create, folder, box="" if template else box, template=template)
        self._bench.say(
            f"{self._app.look.signs.done} Wrote {amounts.listed([str(path) for path in files])}.", "good"
        )
        self._actions.beginning.show(str(folder))

    async def _operations(self, _choice: Choice) -> None:
        from core.model.query import GetOperations
        from core.model.query import Operations as Answer
        from tui.dialogs.operations import Operations

        answer = await self._bridge.query(GetOperations(limit=400))
        earlier = answer.operations if isinstance(answer, Answer) else ()
        chosen = await self._app.push_screen_wait(Operations(lambda: self._bridge.state, earlier))
        if chosen:
            known = {operation.id: operation for operation in earlier}
            found = self._bridge.state.operations.get(chosen) or known.get(chosen)
            await self._show_operation(chosen, found.title if found is not None else chosen)

    async def _show_operation(self, id: str, title: str) -> None:
        """Its steps and how it ended; enter goes on to its log."""
        from core.model.query import GetOperation, OperationView
        from tui.views import steps

        view = await self._bridge.query(GetOperation(operation=id))
        if not isinstance(view, OperationView):
            return
        signs, now = self._app.look.signs, time.time()

        def content(width: int) -> steps.StepsContent:
            return steps.content(view.operation, view.steps, width=width, signs=signs, now=now)

        targets = content(_WIDEST).targets if view.segments or view.operation.log_size else {}
        info = self._info(title, lambda width: content(width).lines, targets)
        if targets:
            info.hint = "enter shows its log, esc closes"
        if await self._app.push_screen_wait(info):
            await self._actions.logs.show(id, title)

    def result(self, operation: Operation) -> list[str]:
        """What a command on boxes found: lists and numbers, as they are; empty where it finds nothing."""
        wanted = operation.result is not None and operation.command in TOLD
        return list(_plain(operation.result)) if wanted else []

    @staticmethod
    def in_one_line(found: Sequence[str]) -> str:
        """The same as one line, where it is short enough for that; else ""."""
        told = ", ".join(line.strip() for line in found).replace(":, ", ": ")
        return told if len(told) <= _SHORT else ""

    def show_result(self, title: str, lines: Sequence[str]) -> None:
        self._app.push_screen(
            self._info(
                title, lambda width: [[(text, "text")] for line in lines for text in wrap(line, width)]
            )
        )


def _checked(root: str) -> tuple[tuple[Problem, ...], str]:
    """What is wrong with a project, else a sentence that it is right. Raises BoxwrightError."""
    from core.projects import load
    from core.projects.validate import problems

    found = problems(root)
    if found:
        return found, ""
    project = load(root)
    machines = amounts.count(len(project.machines), "machine")
    builds = amounts.count(len(project.builds), "build")
    return (), f"{Path(project.file).name} is right: {machines}, {builds}."


def _plain(value: Any, indent: str = "") -> list[str]:
    """Plain data as lines."""
    if isinstance(value, dict):
        out = []
        for name, item in value.items():
            title = name.replace("_", " ")
            if isinstance(item, list | dict):
                out += [
                    f"{indent}{title}:" if item else f"{indent}{title}: none",
                    *_plain(item, indent + "  "),
                ]
            elif name in ("freed", "bytes", "size"):
                out.append(f"{indent}{title}: {amounts.size(item)}")
            else:
                out.append(f"{indent}{title}: {_word(item)}")
        return out
    if isinstance(value, list):
        return [
            line
            for item in value
            for line in (_row(item, indent) if isinstance(item, dict) else [f"{indent}{item}"])
        ]
    return [f"{indent}{_word(value)}"]


def _row(item: dict[str, Any], indent: str) -> list[str]:
    parts = [amounts.size(value) if name == "bytes" else _word(value) for name, value in item.items()]
    return [indent + "  ".join(parts)]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
