"""A real engine in a process of its own, real QEMU machines, and eyes for what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from core.boxes import UNDO
from core.boxes.store import BoxStore
from core.client.blocking import BlockingClient
from core.errors import BoxwrightError
from core.model import command
from core.model.box import BoxKey, BoxUse
from core.model.command import Command
from core.model.machine import Machine, MachineKey, MachineState
from core.model.operation import Operation
from core.model.query import Boxes, GetBoxes, GetMachines, GetOperations, Machines, Operations
from core.paths import locations
from tests.support import leftovers
from tests.support.work import RecordingWork

PROJECT = """\
[project]
name = "town"

[machines.web]
box = "tiny"
memory = "160MiB"
provider = "qemu"

[[machines.web.provision]]
shell = "true"

[builds.base]
source = { bootstrap = { suite = "bookworm", flavour = "tiny", size = "128MiB" } }
"""


class Town:
    def __init__(self, folder: Path, image: Path, provider: str = "qemu") -> None:
        self.root = folder / "town"
        self.root.mkdir()
        project = PROJECT.replace('provider = "qemu"', f'provider = "{provider}"')
        (self.root / "boxwright.toml").write_text(project)
        self.where = locations().prepare()
        self.points = folder / "points"
        copy = folder / "tiny.qcow2"
        shutil.copyfile(image, copy)
        store = BoxStore(self.where.boxes)
        asyncio.run(
            store.put_built(
                key=BoxKey("tiny", "1", "qemu", "amd64"),
                disks=[copy],
                fingerprint="",
                work=RecordingWork(UNDO),
            )
        )

    @property
    def web(self) -> MachineKey:
        return MachineKey(str(self.root), "web")

    @contextlib.contextmanager
    def engine(self, *, kill_at: int = 0, record: bool = False) -> Iterator[BlockingClient]:
        """An engine from its start to its end, in order or not."""
        os.environ["BOXWRIGHT_KILL_AT"] = str(kill_at or "")
        os.environ["BOXWRIGHT_POINTS_FILE"] = str(self.points) if record else ""
        try:
            with contextlib.suppress(BoxwrightError), BlockingClient.connect(self.where) as client:
                yield client
                client.stop(wait=True)
        finally:
            del os.environ["BOXWRIGHT_KILL_AT"], os.environ["BOXWRIGHT_POINTS_FILE"]

    def do(self, client: BlockingClient, wanted: Command) -> Operation:
        """Submit, follow to the end, return how it ended."""
        *_, end = client.follow(client.submit(wanted))
        assert isinstance(end, Operation)
        return end

    def must(self, client: BlockingClient, wanted: Command) -> Operation:
        end = self.do(client, wanted)
        assert end.state.good, end.problem
        return end

    def machine(self, client: BlockingClient) -> Machine:
        return next(machine for machine in self.machines(client) if machine.key == self.web)

    def machines(self, client: BlockingClient) -> tuple[Machine, ...]:
        """The machine and its copies."""
        answer = client.query(GetMachines(project=str(self.root)))
        assert isinstance(answer, Machines)
        return answer.machines

    def copies(self, client: BlockingClient) -> list[Machine]:
        return [machine for machine in self.machines(client) if machine.key != self.web]

    def boxes(self, client: BlockingClient) -> tuple[BoxUse, ...]:
        answer = client.query(GetBoxes())
        assert isinstance(answer, Boxes)
        return answer.boxes

    def settled(self, client: BlockingClient) -> None:
        """The running machine has been looked at: an up that has nothing to do does that."""
        self.must(client, command.Up(machine=self.web))

    def strays(self, client: BlockingClient) -> list[str]:
        """Whatever is there and belongs to nothing that the engine knows: processes, folders, sockets,
        half boxes, working folders of builds, open operations. A new engine is given the time to look
        at its machines."""
        deadline = time.monotonic() + 10
        for _ in client.events(timeout=0.1):
            found = [*self._processes(client), *self._files(client), *self._open(client)]
            if not found or time.monotonic() > deadline:
                break
        verified = self.do(client, command.VerifyBoxes())
        return found if verified.state.good else [*found, f"boxes: {verified.problem}"]

    def _processes(self, client: BlockingClient) -> list[str]:
        running = [one.id for one in self.machines(client) if one.state is MachineState.RUNNING]
        return [
            f"process {left.pid}: {left.command}"
            for left in leftovers.processes(self.where.data)
            if left.pid != client.pid
            and not left.command.endswith("--version")  # the new engine's own probe
            and not any(one in left.command for one in running)
        ]

    def _files(self, client: BlockingClient) -> list[str]:
        machines = self.machines(client)
        known = {one.id for one in machines if one.state is not MachineState.ABSENT}
        allowed = {
            self.where.machines: known | {one.kept.id for one in machines if one.kept},
            self.where.runtime: known | {"engine.sock"},
            self.where.builds: set(),
            self.where.boxes / "staging": set(),
            self.where.boxes / "retired": set(),
        }
        return [
            str(path)
            for folder, names in allowed.items()
            for path in folder.iterdir()
            if path.name not in names
        ]

    def _open(self, client: BlockingClient) -> list[str]:
        answer = client.query(GetOperations(running=True))
        assert isinstance(answer, Operations)
        return [f"open: {operation.title}" for operation in answer.operations]
