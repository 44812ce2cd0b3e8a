"""The engine is killed (SIGKILL) at the points of its journal, for every command that changes things.

Of a long command eight points are visited, evenly spread; ``make slow`` visits every one. Whatever the
instant: the next engine finds no orphan process, disk, port or lock, and the next command works.
"""

from __future__ import annotations

import contextlib
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.client.blocking import BlockingClient
from core.errors import BoxwrightError
from core.model import command
from core.model.command import Command
from core.model.machine import MachineState
from core.providers.libvirt.address import URI_VARIABLE
from tests.faults.town import Town
from tests.providers.libvirt.test_faults import objects
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

Prepare = Callable[[Town, BlockingClient], None]

FEW = 3
"""Points of what takes as long as a guest needs to boot."""


@pytest.fixture(params=["spread", pytest.param("every", marks=pytest.mark.slow)])
def most(request: pytest.FixtureRequest) -> int:
    """How many points are visited at most; 0 for all."""
    return 8 if request.param == "spread" else 0


@pytest.fixture
def town(tmp_path: Path, tiny_image: Path) -> Iterator[Town]:
    town = Town(tmp_path, tiny_image)
    yield town
    with town.engine() as client:
        absent(town, client)


def absent(town: Town, client: BlockingClient) -> None:
    """Nothing is created."""
    if town.machine(client).state is not MachineState.ABSENT:
        town.must(client, command.Destroy(machine=town.web, purge=True))


def running(town: Town, client: BlockingClient) -> None:
    """The machine runs, by a snapshot with memory: much faster than a start."""
    if town.machine(client).kept:
        town.must(client, command.Recover(machine=town.web))
    machine = town.machine(client)
    if machine.state is MachineState.ABSENT or not machine.snapshots:
        town.must(client, command.Up(machine=town.web))
        town.must(client, command.SaveSnapshot(machine=town.web, name="base"))
    elif machine.state is not MachineState.RUNNING:
        town.must(client, command.RestoreSnapshot(machine=town.web, name="base"))


def stopped(town: Town, client: BlockingClient) -> None:
    running(town, client)
    town.must(client, command.Halt(machine=town.web, force=True))


def suspended(town: Town, client: BlockingClient) -> None:
    running(town, client)
    town.must(client, command.Suspend(machine=town.web))


def destroyed(town: Town, client: BlockingClient) -> None:
    """Destroyed, and can be brought back."""
    if not town.machine(client).kept:
        running(town, client)
        town.must(client, command.Destroy(machine=town.web))


def with_snapshot(town: Town, client: BlockingClient) -> None:
    """Running, with a second snapshot that may go."""
    running(town, client)
    town.settled(client)
    if all(snapshot.name != "second" for snapshot in town.machine(client).snapshots):
        town.must(client, command.SaveSnapshot(machine=town.web, name="second"))


def without_snapshot(town: Town, client: BlockingClient) -> None:
    running(town, client)
    town.settled(client)
    if any(snapshot.name == "second" for snapshot in town.machine(client).snapshots):
        town.must(client, command.DeleteSnapshot(machine=town.web, name="second"))


def killed_at_points(town: Town, prepare: Prepare, wanted: Command, most: int) -> int:
    """Run ``wanted`` once to count the points, then once for each point (for ``most`` of them, evenly
    spread, where that is not 0); the number of points."""

    def prepared() -> None:
        with town.engine() as client:
            prepare(town, client)

    prepared()
    with town.engine(record=True) as client:
        town.must(client, wanted)
    points = town.points.read_text().splitlines()
    assert len(points) > 4, points
    chosen = list(enumerate(points, start=1))
    for number, name in chosen[:: -(-len(chosen) // most)] if most else chosen:
        prepared()
        where = f"killed at point {number} of {len(points)}: {name}"
        with town.engine(kill_at=number) as client, contextlib.suppress(BoxwrightError):
            town.do(client, wanted)
        with town.engine() as client:
            assert town.strays(client) == [], where
            assert all(one.state is not MachineState.BROKEN for one in town.machines(client)), where
    with town.engine() as client:
        prepare(town, client)
        town.must(client, wanted)
    return len(points)


def test_up(town: Town, most: int) -> None:
    killed_at_points(town, absent, command.Up(machine=town.web), most)


def test_halt(town: Town, most: int) -> None:
    killed_at_points(town, running, command.Halt(machine=town.web), most)


def test_suspend_and_resume(town: Town, most: int) -> None:
    killed_at_points(town, running, command.Suspend(machine=town.web), most)
    killed_at_points(town, suspended, command.Resume(machine=town.web), most)


def test_destroy(town: Town, most: int) -> None:
    killed_at_points(town, running, command.Destroy(machine=town.web), most)


def test_destroy_for_good(town: Town, most: int) -> None:
    killed_at_points(town, running, command.Destroy(machine=town.web, purge=True), most and 2)


def test_bringing_back_what_was_destroyed(town: Town, most: int) -> None:
    killed_at_points(town, destroyed, command.Recover(machine=town.web), most)
    with town.engine() as client:
        assert [one.name for one in town.machine(client).snapshots] == ["base"]


@pytest.mark.slow
def test_removing_for_good_what_was_destroyed(town: Town) -> None:
    killed_at_points(town, destroyed, command.PruneDestroyed(), 0)


@pytest.mark.parametrize("prepare", [without_snapshot, stopped], ids=["running", "stopped"])
def test_saving_a_snapshot(town: Town, prepare: Prepare, most: int) -> None:
    def ready(town: Town, client: BlockingClient) -> None:
        without_snapshot(town, client)
        prepare(town, client)

    killed_at_points(town, ready, command.SaveSnapshot(machine=town.web, name="second"), most)


def test_restoring_and_deleting_a_snapshot(town: Town, most: int) -> None:
    killed_at_points(town, with_snapshot, command.RestoreSnapshot(machine=town.web, name="second"), most)
    killed_at_points(town, with_snapshot, command.DeleteSnapshot(machine=town.web, name="second"), most)


def test_cloning(town: Town, most: int) -> None:
    def alone(town: Town, client: BlockingClient) -> None:
        for copy in town.copies(client):
            town.must(client, command.Destroy(machine=copy.key, purge=True))
        running(town, client)

    killed_at_points(town, alone, command.Clone(machine=town.web), most and FEW)
    with town.engine() as client:
        (copy,) = town.copies(client)
        assert copy.state is MachineState.RUNNING
        alone(town, client)


def test_moving_while_running(
    tmp_path: Path,
    tiny_image: Path,
    most: int,
    session_daemon: Libvirtd,
    other_daemon: Libvirtd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    town = Town(tmp_path, tiny_image, "libvirt")
    places = (session_daemon, other_daemon)

    def here(town: Town, client: BlockingClient) -> None:
        there = [daemon for daemon in places if objects(daemon.uri)["domains"]]
        assert len(there) <= 1, "it is in one place"
        if not there:
            town.must(client, command.Up(machine=town.web))
        elif there == [other_daemon]:
            town.must(client, command.Migrate(machine=town.web, target=session_daemon.uri))
        assert town.machine(client).state is MachineState.RUNNING

    wanted = command.Migrate(machine=town.web, target=other_daemon.uri)
    killed_at_points(town, here, wanted, most and FEW)
    with town.engine() as client:
        absent(town, client)
    assert [objects(daemon.uri)["domains"] for daemon in places] == [[], []]


def test_adding_a_box(town: Town, tmp_path: Path, most: int) -> None:
    source = tmp_path / "more.box"
    pack(source)

    def removed(town: Town, client: BlockingClient) -> None:
        if any(use.box.name == "more" for use in town.boxes(client)):
            town.must(client, command.RemoveBox(name="more"))

    killed_at_points(town, removed, command.AddBox(source=str(source), name="more"), most)


def test_building_a_box(town: Town, most: int) -> None:
    def unbuilt(town: Town, client: BlockingClient) -> None:
        if any(use.box.name == "town/base" for use in town.boxes(client)):
            town.must(client, command.RemoveBox(name="town/base", version="all"))

    killed_at_points(town, unbuilt, command.RunBuild(project=str(town.root), name="base"), most)


def pack(target: Path) -> None:
    """A small box as Vagrant's libvirt provider has them."""
    disk = target.with_name("box.img")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "64M"], check=True)
    subprocess.run(
        ["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 8M", str(disk)], check=True, stdout=subprocess.DEVNULL
    )
    metadata = target.with_name("metadata.json")
    metadata.write_text('{"provider": "libvirt", "format": "qcow2", "virtual_size": 1}')
    with tarfile.open(target, "w:gz") as archive:
        archive.add(metadata, metadata.name)
        archive.add(disk, disk.name)
