"""Handlers for tests of the engine: small commands that make files, wait, fail and print."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.engine.commands import Handlers
from core.engine.context import Context, Handler
from core.engine.engine import Engine
from core.errors import BoxwrightError, NotFoundError
from core.model.command import (
    AddBox,
    Command,
    Destroy,
    Halt,
    Provision,
    RemoveBox,
    RunBuild,
    Up,
    VerifyBoxes,
)
from core.model.machine import MachineKey
from core.model.operation import Operation
from core.model.project import Project
from core.model.work import Work
from core.paths import Locations
from core.providers.base import Provider


class Stage:
    """What a test has in its hands: gates at which the handlers wait, and what they said they did."""

    def __init__(self) -> None:
        self.reached: dict[str, asyncio.Event] = {}
        self.opened: dict[str, asyncio.Event] = {}
        self.log: list[str] = []
        self.undone: list[str] = []

    def gate(self, name: str) -> asyncio.Event:
        """Set once a handler has come to the gate."""
        return self.reached.setdefault(name, asyncio.Event())

    def open(self, name: str) -> None:
        self.opened.setdefault(name, asyncio.Event()).set()

    async def wait(self, name: str) -> None:
        self.gate(name).set()
        await self.opened.setdefault(name, asyncio.Event()).wait()

    async def undo(self, facts: Mapping[str, Any]) -> None:
        if facts.get("fail"):
            raise BoxwrightError("This cannot be undone.")
        if facts.get("wait"):
            await self.wait(f"undo {facts['name']}")
        self.undone.append(facts["name"])

    # Handlers, each under the command whose shape fits.

    async def up(self, context: Context, command: Up, work: Work) -> None:
        """Waits at a gate named as the machine."""
        self.log.append(f"begin {command.machine.name}")
        async with work.step("wait"):
            await self.wait(command.machine.name)
        self.log.append(f"end {command.machine.name}")

    async def destroy(self, context: Context, command: Destroy, work: Work) -> None:
        """Begins three things, settles the second, then waits at a gate to be cancelled or fail."""
        async with work.step("begin") as step:
            step.intend("test.thing", name="first")
            second = step.intend("test.thing", name="second")
            step.intend("test.thing", name="third")
            second.settle()
        await self.wait(command.machine.name)
        raise BoxwrightError("It went wrong.", remedy="try again")

    async def halt(self, context: Context, command: Halt, work: Work) -> Any:
        """A bug."""
        async with work.step("outer") as outer, outer.step("inner"):
            raise KeyError("a mistake")

    async def provision(self, context: Context, command: Provision, work: Work) -> Any:
        """Prints; two steps side by side."""

        async def one(name: str) -> None:
            async with work.step(name) as step:
                for number in range(3):
                    step.progress(number + 1, 3, "lines")
                    step.write(f"{name} {number}\n".encode())
                    await asyncio.sleep(0)

        await asyncio.gather(one("left"), one("right"))
        return {"printed": 6}

    async def build(self, context: Context, command: RunBuild, work: Work) -> None:
        """Holds a second subject for a part of the time."""
        async with context.hold(f"box:{command.name}", f"build {command.name}", work):
            await self.wait(command.name)

    async def add_box(self, context: Context, command: AddBox, work: Work) -> Any:
        """Writes a file the way real handlers do: beside its place, with an intent, then renamed."""
        target = Path(command.source)
        staging = target.with_name(f"{target.name}.part")
        async with work.step("Make the file") as step:
            intent = step.intend("path", path=str(staging))
            staging.write_text("half")
            step.write(b"half\n")
            staging.write_text("whole")
        async with work.step("Put it in place") as step:
            place = step.intend("path", path=str(target))
            staging.rename(target)
            place.settle()
            intent.settle()
        return {"made": str(target)}

    async def remove_box(self, context: Context, command: RemoveBox, work: Work) -> None:
        raise BoxwrightError("It went wrong.", why="It always does.", tail=("one", "two"))

    async def verify(self, context: Context, command: VerifyBoxes, work: Work) -> None:
        work.cached("nothing has changed")

    def handlers(self) -> Handlers:
        table: dict[type[Any], Handler] = {
            Up: self.up,
            Destroy: self.destroy,
            Halt: self.halt,
            Provision: self.provision,
            RunBuild: self.build,
            AddBox: self.add_box,
            RemoveBox: self.remove_box,
            VerifyBoxes: self.verify,
        }
        return Handlers(
            table=table, subject=subject, title=title, refuse=refuse, undo={"test.thing": self.undo}
        )


def subject(command: Command) -> str:
    machine = getattr(command, "machine", None)
    if machine is not None:
        return str(machine)
    if isinstance(command, RunBuild):
        return f"build:{command.project}:{command.name}"
    if isinstance(command, AddBox):
        return f"file:{command.source}"
    return ""


def title(command: Command) -> str:
    machine = getattr(command, "machine", None)
    word = str(command.__struct_config__.tag).rpartition(".")[2]
    return f"{word} {machine.name}" if machine is not None else word


def refuse(context: Context, command: Command) -> None:
    machine = getattr(command, "machine", None)
    if machine is not None and machine.name == "nobody":
        raise NotFoundError("There is no machine 'nobody'.", remedy="boxwright status")


def no_project(root: Path) -> Project:
    raise NotFoundError(f"There is no project in {root}.", remedy="boxwright init")


def key(name: str, project: str = "/p") -> MachineKey:
    return MachineKey(project, name)


def locations(folder: Path) -> Locations:
    return Locations(data=folder / "data", runtime=folder / "run" / "b")


def make_engine(
    folder: Path,
    stage: Stage | None = None,
    providers: Mapping[str, Provider] | None = None,
    **options: Any,
) -> Engine:
    """An engine with the handlers above that is not started yet."""
    options.setdefault("read", no_project)
    stage = stage or Stage()
    return Engine(locations(folder), providers=providers or {}, handlers=stage.handlers(), **options)


async def ended(engine: Engine, operation: str) -> Operation:
    """The operation once it has ended."""
    async with asyncio.timeout(30):
        await engine.scheduler.wait(operation)
    found = engine.journal.operation(operation)
    assert found is not None
    return found
