"""Machines as the engine shows them: from records, from projects' files, and as providers see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.engine.engine import Engine
from core.engine.registry import RECORD
from core.errors import BoxwrightError, ConfigError, NotFoundError
from core.model.command import Destroy, Up
from core.model.event import Event, MachineChanged, MachineGone, ProjectChanged, ProviderProbed, Snapshot
from core.model.machine import MachineKey, MachineState
from core.model.operation import StepState
from core.model.problem import Place
from core.model.project import BoxReference, MachineSpec, Project
from core.model.provider import Probe
from core.model.query import (
    GetMachines,
    GetProject,
    GetProviders,
    Machines,
    ProjectView,
    Providers,
)
from core.providers.base import Seen
from tests.engine.fakes import Stage, ended, key, make_engine
from tests.engine.machines import plan_for, put_running
from tests.engine.processes import soon
from tests.support.fake_provider import FakeProvider


def read(root: Path) -> Project:
    """A project's file of the simplest kind: one line for each machine, its box and its cpus."""
    file = root / "boxwright.toml"
    if not file.exists():
        raise NotFoundError(f"There is no project in {root}.")
    machines = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            name, box, cpus = line.split()
        except ValueError:
            raise ConfigError("What is that?", place=Place(str(file), number)) from None
        machines[name] = MachineSpec(
            box=BoxReference(build=box[1:]) if box[0] == "@" else box, cpus=int(cpus)
        )
    return Project(root=str(root), file=str(file), name=root.name, machines=machines)


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def root(boxwright_home: Path) -> Path:
    root = boxwright_home / "shop"
    root.mkdir()
    (root / "boxwright.toml").write_text("web debian/12 2\ndb @base 1\n")
    return root


@pytest.fixture
async def engine(boxwright_home: Path, stage: Stage, provider: FakeProvider) -> AsyncIterator[Engine]:
    engine = make_engine(boxwright_home, stage, {"fake": provider}, read=read)
    await engine.start()
    yield engine
    await engine.stop(force=True)


def machines(engine: Engine, project: Path | None = None) -> Machines:
    answer = engine.query(GetMachines(project=str(project) if project else ""))
    assert isinstance(answer, Machines)
    return answer


def shown(engine: Engine, project: Path | None = None) -> list[tuple[str, str]]:
    return [(machine.name, machine.state.value) for machine in machines(engine, project).machines]


async def test_machines_of_a_project_that_are_not_created(engine: Engine, root: Path) -> None:
    web, db = machines(engine, root).machines
    assert (web.name, web.state, web.box, web.cpus) == ("web", MachineState.ABSENT, "debian/12", 2)
    assert web.memory == 512 * 1024 * 1024
    assert db.box == "base (built here)"
    assert web.project_name == "shop"


async def test_a_created_machine_shows_what_it_is_not_what_the_file_says(
    engine: Engine, root: Path, provider: FakeProvider
) -> None:
    await put_running(engine, provider, "web", str(root))
    web, _ = machines(engine, root).machines
    assert (web.state, web.cpus, web.provider) == (MachineState.RUNNING, 1, "fake")
    assert web.endpoint is not None
    assert web.endpoint.port == web.ports[0].host
    assert web.facts == {"acceleration": "none (a fake)"}


async def test_a_file_with_an_error_leaves_the_machines_that_exist(
    engine: Engine, root: Path, provider: FakeProvider
) -> None:
    await put_running(engine, provider, "web", str(root))
    assert len(machines(engine, root).machines) == 2
    (root / "boxwright.toml").write_text("web debian/12 2\nnonsense\n")
    answer = machines(engine, root)
    assert [machine.name for machine in answer.machines] == ["web"]
    assert answer.problem is not None
    assert answer.problem.place is not None
    assert answer.problem.place.line == 2


async def test_a_folder_without_a_project_has_a_problem_and_no_machines(
    engine: Engine, boxwright_home: Path
) -> None:
    answer = machines(engine, boxwright_home)
    assert answer.machines == ()
    assert answer.problem is not None
    view = engine.query(GetProject(project=str(boxwright_home / "nowhere")))
    assert isinstance(view, ProjectView)
    assert view.problem is not None
    with pytest.raises(BoxwrightError):
        engine._answers.open_project("relative")


async def test_a_project_view(engine: Engine, root: Path) -> None:
    view = engine.query(GetProject(project=str(root)))
    assert isinstance(view, ProjectView)
    assert (view.name, view.machines, view.problem) == ("shop", ("web", "db"), None)


async def test_changes_of_the_file_are_published(engine: Engine, root: Path) -> None:
    machines(engine, root)
    subscription = engine.subscribe(engine.hub.seq)
    (root / "boxwright.toml").write_text("web debian/12 4\n")
    machines(engine, root)
    changes = [event.change for event in await events(subscription)]
    assert MachineGone(MachineKey(str(root), "db")) in changes
    assert ProjectChanged(str(root)) in changes
    changed = next(change for change in changes if isinstance(change, MachineChanged))
    assert (changed.machine.name, changed.machine.cpus) == ("web", 4)


async def test_a_file_that_was_only_touched_changes_nothing(engine: Engine, root: Path) -> None:
    machines(engine, root)
    seq = engine.hub.seq
    (root / "something").touch()
    (root / "boxwright.toml").write_text((root / "boxwright.toml").read_text())
    machines(engine, root)
    assert engine.hub.seq == seq


async def events(subscription) -> list[Event]:  # type: ignore[no-untyped-def]
    batch = await asyncio.wait_for(subscription.batch(10_000), 5)
    assert isinstance(batch, list)
    return batch


async def test_all_projects_that_were_opened_are_known_after_a_restart(
    engine: Engine, root: Path, boxwright_home: Path
) -> None:
    machines(engine, root)
    await engine.stop()
    again = make_engine(boxwright_home, read=read)
    await again.start()
    assert shown(again) == [("web", "not created"), ("db", "not created")]
    (root / "boxwright.toml").unlink()
    root.rmdir()
    assert shown(again) == []
    assert again.journal.projects() == ()
    await again.stop()


async def test_the_holder_and_the_queue_are_shown(engine: Engine, root: Path, stage: Stage) -> None:
    machines(engine, root)
    first = engine.submit(Up(machine=MachineKey(str(root), "web")))
    second = engine.submit(Up(machine=MachineKey(str(root), "web")))
    await stage.gate("web").wait()
    web = machines(engine, root).machines[0]
    assert web.holder is not None
    assert (web.holder.operation, web.holder.action) == (first, "up web")
    assert [holder.operation for holder in web.waiting] == [second]
    stage.open("web")
    await ended(engine, second)
    web = machines(engine, root).machines[0]
    assert (web.holder, web.waiting) == (None, ())


async def test_a_machine_killed_from_outside_is_shown_as_stopped_at_once(
    engine: Engine, provider: FakeProvider
) -> None:
    record = await put_running(engine, provider, "web")
    subscription = engine.subscribe(engine.hub.seq)
    provider.hypervisor.kill(record.id)
    (event,) = await events(subscription)
    assert isinstance(event.change, MachineChanged)
    machine = event.change.machine
    assert (machine.state, machine.trouble) == (MachineState.STOPPED, "It was killed from outside.")
    assert (machine.endpoint, machine.ports, machine.started) == (None, (), 0.0)


async def test_old_news_is_not_believed(engine: Engine, provider: FakeProvider) -> None:
    """It was stopped and started again before the news of its stop was read."""
    record = await put_running(engine, provider, "web")
    provider.hypervisor.push(record.id, Seen(state=MachineState.STOPPED))
    for _ in range(20):
        await asyncio.sleep(0)
    assert engine.machines.require(key("web")).state is MachineState.RUNNING


async def test_a_machine_on_its_way_is_left_to_the_handler_and_looked_at_afterwards(
    engine: Engine, provider: FakeProvider, stage: Stage
) -> None:
    record = await put_running(engine, provider, "web")
    operation = engine.submit(Up(machine=key("web")))
    await stage.gate("web").wait()
    engine.machines.change(key("web"), state=MachineState.STOPPING)
    provider.hypervisor.kill(record.id)
    await soon(lambda: engine.watcher._missed)
    assert engine.machines.require(key("web")).state is MachineState.STOPPING
    stage.open("web")
    await ended(engine, operation)
    assert engine.machines.require(key("web")).state is MachineState.STOPPED


async def test_after_a_failure_the_machine_is_shown_as_it_really_is(
    engine: Engine, provider: FakeProvider, stage: Stage
) -> None:
    await put_running(engine, provider, "web")
    operation = engine.submit(Destroy(machine=key("web")))
    await stage.gate("web").wait()
    engine.machines.change(key("web"), state=MachineState.STOPPING)
    stage.open("web")
    assert (await ended(engine, operation)).state is StepState.FAILED
    assert engine.machines.require(key("web")).state is MachineState.RUNNING


async def test_machines_are_adopted_by_the_next_engine(
    engine: Engine, provider: FakeProvider, boxwright_home: Path
) -> None:
    await put_running(engine, provider, "web")
    db = await put_running(engine, provider, "db")
    lost = await put_running(engine, provider, "lost")
    engine.machines.change(key("web"), state=MachineState.STARTING)
    await engine.stop()
    hypervisor = provider.hypervisor
    hypervisor.machines[db.id].state = MachineState.STOPPED
    del hypervisor.machines[lost.id]
    again = make_engine(boxwright_home, providers={"fake": FakeProvider(hypervisor)}, read=read)
    await again.start()
    await soon(lambda: again.machines.require(key("web")).state is MachineState.RUNNING)
    assert again.machines.require(key("web")).endpoint() is not None
    assert again.machines.require(key("db")).state is MachineState.STOPPED
    broken = again.machines.view(key("lost"))
    assert (broken.state, broken.trouble) == (MachineState.BROKEN, "Nothing of it is left at fake.")
    await again.stop()


async def test_a_record_that_was_intended_is_undone(engine: Engine) -> None:
    """The handler failed after the record was made."""
    record = msgspec.structs.replace(
        (await put_running(engine, FakeProvider(), "other")), plan=plan_for(engine, "web")
    )

    async def handler(context, _command, work) -> None:  # type: ignore[no-untyped-def]
        work.intend(RECORD, id=record.id, paths=[record.plan.folder])
        context.machines.put(record)
        raise NotFoundError("No box.")

    engine.scheduler._handlers.table[Up] = handler  # type: ignore[index]
    subscription = engine.subscribe(engine.hub.seq)
    await ended(engine, engine.submit(Up(machine=key("web"))))
    assert engine.machines.get(key("web")) is None
    assert not Path(record.plan.folder).exists()
    changes = [event.change for event in await events(subscription)]
    assert MachineGone(key("web")) in changes
    with pytest.raises(NotFoundError):
        engine.machines.view(key("web"))


async def test_providers_are_probed_in_the_background(boxwright_home: Path) -> None:
    class Slow(FakeProvider):
        async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
            await asked.wait()
            return await super().probe()

    class Broken(FakeProvider):
        async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
            raise ZeroDivisionError("oh")

    asked = asyncio.Event()
    engine = make_engine(boxwright_home, providers={"slow": Slow(), "broken": Broken()}, read=read)
    await engine.start()
    subscription = engine.subscribe(engine.hub.seq)
    answer = engine.query(GetProviders())
    assert answer == Providers(()), "a question does not wait"
    waiting = asyncio.create_task(engine.context.probe("slow"))
    asked.set()
    assert (await waiting).usable
    await soon(lambda: len(engine.watcher.probes()) == 2)
    broken = next(probe for probe in engine.watcher.probes() if not probe.usable)
    assert (broken.provider, broken.why) == ("broken", "Its probe failed: oh")
    published = [event.change for event in await events(subscription)]
    assert sum(isinstance(change, ProviderProbed) for change in published) >= 1
    await engine.stop()


async def test_a_provider_that_was_mended_is_found_usable(engine: Engine, provider: FakeProvider) -> None:
    provider.unusable = "no such program"
    engine.refresh()
    await soon(lambda: any(not probe.usable for probe in engine.watcher.probes()))
    provider.unusable = ""
    assert (await engine.context.probe("fake")).usable


async def test_a_machine_whose_provider_is_gone_says_so(
    engine: Engine, provider: FakeProvider, boxwright_home: Path
) -> None:
    await put_running(engine, provider, "web")
    await engine.stop()
    again = make_engine(boxwright_home, providers={}, read=read)
    await again.start()
    web = again.machines.view(key("web"))
    assert (web.state, web.trouble) == (
        MachineState.BROKEN,
        "Its provider, fake, is not installed any more.",
    )
    with pytest.raises(BoxwrightError, match="no provider 'fake'"):
        await again.stats(key("web"))
    await again.stop()


async def test_the_snapshot_has_machines_boxes_and_providers(
    engine: Engine, root: Path, provider: FakeProvider
) -> None:
    machines(engine, root)
    await put_running(engine, provider, "web", str(root))
    await engine.context.probe("fake")
    first = await engine.subscribe().batch()
    assert isinstance(first, Snapshot)
    assert [(machine.name, machine.state.value) for machine in first.machines] == [
        ("web", "running"),
        ("db", "not created"),
    ]
    assert [probe.provider for probe in first.providers] == ["fake"]
    assert first.boxes == ()
