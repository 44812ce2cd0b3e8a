"""Machines at the fake provider, for tests of what the engine makes of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.engine.engine import Engine
from core.engine.records import MachineRecord
from core.model.machine import Disk, MachinePlan, MachineState, WantedPort
from tests.engine.fakes import key
from tests.support.fake_provider import FakeProvider
from tests.support.work import RecordingWork


def plan_for(engine: Engine, name: str, project: str = "/p") -> MachinePlan:
    machine_id = hashlib.sha256(f"{project}:{name}".encode()).hexdigest()[:12]
    folder = engine.locations.machine(machine_id)
    folder.mkdir(exist_ok=True)
    runtime = engine.locations.machine_runtime(machine_id)
    runtime.mkdir(exist_ok=True)
    image = Path(engine.locations.boxes) / "image.qcow2"
    image.touch()
    return MachinePlan(
        id=machine_id,
        key=key(name, project),
        folder=str(folder),
        runtime=str(runtime),
        disks=(Disk(path=str(image)),),
        ports=(WantedPort(guest=22, name="ssh"),),
    )


async def put_running(
    engine: Engine, provider: FakeProvider, name: str, project: str = "/p"
) -> MachineRecord:
    """A machine that runs at the provider, with its record."""
    plan = plan_for(engine, name, project)
    work = RecordingWork(undo=provider.undo)
    await provider.create(plan, work)
    started = await provider.start(plan, work)
    record = MachineRecord(
        plan=plan, provider="fake", state=MachineState.RUNNING, started=started, started_at=1.0
    )
    engine.machines.put(record)
    return record
