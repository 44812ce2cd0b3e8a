"""One command on several things at once: who can, who cannot and why, and one question for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core import amounts
from core.commands import CommandSpec
from core.errors import BoxwrightError
from core.model.problem import Problem
from tui import orders
from tui.choice import Choice
from tui.dialogs.confirm import recoverable
from tui.keys import refusal
from tui.orders import Values

if TYPE_CHECKING:
    from textual.app import App

    from tui.bridge import Bridge
    from tui.store import State

_NAMES = 8


class Begun(msgspec.Struct, frozen=True):
    """What became of one of them: an operation, or why there is none."""

    title: str
    operation: str = ""
    refused: str = ""


class Bulk:
    """``line``: the command line of one of them."""

    def __init__(
        self, app: App[Any], bridge: Bridge, line: Callable[[CommandSpec, Choice, Values], str]
    ) -> None:
        self._app = app
        self._bridge = bridge
        self._line = line

    async def run(
        self, spec: CommandSpec, chosen: Sequence[Choice], given: Values, *, sure: bool = False
    ) -> tuple[Begun, ...]:
        """Asks what has to be asked (``sure``: not whether it is to be done), submits, and shows the whole
        until somebody closes it. () where the user thought better of it."""
        able = [choice for choice in chosen if not refusal(spec, choice)]
        refused = tuple(
            Begun(choice.title, refused=refusal(spec, choice)) for choice in chosen if refusal(spec, choice)
        )
        if not able:
            return refused
        values = await self._values(spec, able, given)
        if values is None:
            return ()
        if spec.destructive and not sure and not await self._sure(spec, able, refused, values):
            return ()
        begun = tuple([await self._submit(spec, choice, values) for choice in able])
        return (*begun, *refused)

    async def _values(
        self, spec: CommandSpec, able: Sequence[Choice], given: Values
    ) -> dict[str, Any] | None:
        values = dict(given)
        if not orders.missing(spec, self._of(spec, able[0], values)):
            return values
        from tui.dialogs.form import Form

        def preview(filled: Values) -> str:
            return self._line_of_all(spec, able, filled)

        subject = amounts.count(len(able), "machine") if able[0].machine else f"{len(able)}"
        answer = await self._app.push_screen_wait(Form(spec, values, preview, subject))
        return None if answer is None else values | answer

    async def _sure(
        self, spec: CommandSpec, able: Sequence[Choice], refused: Sequence[Begun], values: Values
    ) -> bool:
        from tui.dialogs.counted import CountedConfirm, CountedQuestion

        asked = CountedQuestion(
            title=f"{spec.title} {len(able)} at once?",
            goes=tuple(_named(able)),
            stays=(
                *staying(spec, able, values, self._bridge.state),
                *(f"{each.title}: {each.refused}" for each in refused[:_NAMES]),
            ),
            yes=spec.title,
            number=len(able),
            line=self._line_of_all(spec, able, values),
        )
        sure: bool | None = await self._app.push_screen_wait(CountedConfirm(asked))
        return bool(sure)

    def _line_of_all(self, spec: CommandSpec, able: Sequence[Choice], values: Values) -> str:
        """The command line takes several machines of one project; of other things it takes one."""
        line = self._line(spec, able[0], values)
        others = [choice.machine.name for choice in able[1:] if choice.machine is not None]
        if len(others) == len(able) - 1 < _NAMES and len({choice.project for choice in able}) == 1:
            return " ".join([line, *others])
        return f"{line}   and {len(able) - 1} more"

    async def _submit(self, spec: CommandSpec, choice: Choice, values: Values) -> Begun:
        try:
            command = orders.build(spec, choice, self._of(spec, choice, values), str(Path.cwd()))
            operation = await self._bridge.submit(command)
        except (BoxwrightError, OSError) as error:
            problem = error.problem if isinstance(error, BoxwrightError) else Problem(what=str(error))
            return Begun(choice.title, refused=problem.what)
        self._bridge.want_operation(operation)
        return Begun(choice.title, operation)

    @staticmethod
    def _of(spec: CommandSpec, choice: Choice, values: Values) -> dict[str, Any]:
        return {**orders.defaults(spec, choice), **values}


def _named(choices: Sequence[Choice]) -> list[str]:
    """Each by its name; where there are too many, the first ones and how many more."""
    names = [_name(choice) for choice in choices]
    if len(names) <= _NAMES:
        return names
    return [*names[: _NAMES - 1], f"and {len(names) - _NAMES + 1} more"]


def _name(choice: Choice) -> str:
    if choice.machine is None:
        return choice.title
    with_them = [snapshot.name for snapshot in choice.machine.snapshots]
    count = amounts.count(len(with_them), "snapshot")
    return f"{choice.title} of {choice.project}" + (f", {count}: {', '.join(with_them)}" if with_them else "")


def staying(spec: CommandSpec, able: Sequence[Choice], values: Values, state: State) -> list[str]:
    """What is left of machines that are destroyed."""
    if spec.id != "machine.destroy":
        return []
    machines = [choice.machine for choice in able if choice.machine is not None]
    back = [machine.name for machine in machines if recoverable(machine, state)]
    if values.get("purge") or not back:
        return ["their boxes and their projects"]
    whose = "all of them" if len(back) == len(machines) else amounts.listed(back)
    return ["their boxes and their projects", f"for a day {whose} can be brought back (Recover)"]
