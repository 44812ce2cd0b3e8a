"""An engine with its real handlers, machines in memory, and a real SSH server as every machine's guest."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.boxes import UNDO
from core.boxes.store import BoxStore
from core.engine.engine import Engine
from core.model.box import BoxKey
from core.model.machine import Machine, MachineKey, MachinePlan
from core.model.operation import Operation, Step
from core.model.query import GetMachines, GetOperation, Machines, OperationView
from core.model.work import Work
from core.paths import Locations
from core.providers.base import Seen, Started
from tests.support.fake_provider import FakeHypervisor, FakeProvider
from tests.support.sshd import Sshd
from tests.support.work import RecordingWork


class GuestProvider(FakeProvider):
    """The fake one, except that port 22 of its machines is answered by a real server."""

    def __init__(self, hypervisor: FakeHypervisor, sshd: Sshd) -> None:
        super().__init__(hypervisor)
        self.sshd = sshd

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        return self._reached(await super().start(plan, work, snapshot=snapshot))

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        return self._reached(await super().resume(plan, work))

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        started = await super().restore_snapshot(plan, name, work)
        return self._reached(started) if started else None

    async def states(self, plans: Any) -> dict[str, Seen]:
        found = await super().states(plans)
        return {
            name: msgspec.structs.replace(seen, started=self._reached(seen.started) if seen.started else None)
            for name, seen in found.items()
        }

    def _reached(self, started: Started) -> Started:
        return msgspec.structs.replace(started, ssh_port=self.sshd.port)


class House:
    """What a test has in its hands."""

    def __init__(self, engine: Engine, hypervisor: FakeHypervisor, sshd: Sshd, root: Path) -> None:
        self.engine = engine
        self.hypervisor = hypervisor
        self.sshd = sshd
        self.root = root

    def write(self, text: str) -> None:
        """The project file; ``web`` is a machine that the guest's server lets in."""
        user, key = self.sshd.endpoint.user, self.sshd.client_key
        head = '[project]\nname = "shop"\nprovider = "fake"\n[machines.web]\nbox = "base"\n'
        account = f'ssh.user = "{user}"\nssh.identity = "{key}"\n'
        (self.root / "boxwright.toml").write_text(head + account + text)

    @property
    def web(self) -> MachineKey:
        return MachineKey(str(self.root), "web")

    def machine(self) -> Machine:
        answer = self.engine.query(GetMachines(project=str(self.root)))
        assert isinstance(answer, Machines)
        assert answer.problem is None, answer.problem
        return answer.machines[0]

    async def do(self, command: Any) -> Operation:
        """Submit, wait for the end, and return how it ended."""
        operation = self.engine.submit(command)
        return await self.end(operation)

    async def end(self, operation: str) -> Operation:
        await self.engine.scheduler.wait(operation)
        return self.view(operation).operation

    def view(self, operation: str) -> OperationView:
        answer = self.engine.query(GetOperation(operation=operation))
        assert isinstance(answer, OperationView)
        return answer

    def steps(self, operation: Operation) -> dict[str, Step]:
        return {step.name: step for step in self.view(operation.id).steps}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until it holds; looked at after each event of the engine."""
        async with asyncio.timeout(30):
            events = self.engine.subscribe()
            while not condition():
                await events.batch()
            events.close()

    def log(self, operation: Operation) -> str:
        return Path(self.view(operation.id).log).read_text()

    def leftovers(self) -> list[str]:
        """What is in the folders of machines."""
        places = (self.engine.locations.machines, *self.engine.locations.runtime.glob("[0-9a-f]*"))
        return [str(path) for place in places if place.is_dir() for path in place.iterdir()]


@pytest.fixture
async def house(boxwright_home: Path, tmp_path: Path) -> AsyncIterator[House]:
    assert shutil.which("qemu-img"), "qemu-utils is not installed"
    locations = Locations(data=boxwright_home, runtime=boxwright_home / "run").prepare()
    disk = tmp_path / "base.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1M"], check=True)
    await BoxStore(locations.boxes).put_built(
        key=BoxKey("base", "1", "qemu"), disks=[disk], fingerprint="", work=RecordingWork(UNDO)
    )
    sshd_folder = tmp_path / "sshd"
    sshd_folder.mkdir()
    sshd = await Sshd(sshd_folder).started()
    hypervisor = FakeHypervisor()
    engine = Engine(locations, providers={"fake": GuestProvider(hypervisor, sshd)})
    await engine.start()
    root = tmp_path / "shop"
    root.mkdir()
    house = House(engine, hypervisor, sshd, root)
    house.write("")
    try:
        yield house
    finally:
        await engine.stop(force=True)
        sshd.stop()
