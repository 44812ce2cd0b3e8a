"""What can go wrong with a daemon, with others at it, and with what it is asked for."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import ProviderError, UsageError
from core.guests.connecting import connect
from core.guests.errors import ConnectionLostError
from core.model.machine import Endpoint, MachineState, PlannedNetwork
from core.providers.docker import DockerProvider
from core.providers.docker import daemon as daemons
from core.providers.docker.address import Address, parse
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import NoAnswer
from tests.providers.bench import Machine
from tests.providers.docker.bench import DockerBench
from tests.providers.networks import Wiring
from tests.support.dockerd import root_file_system
from tests.support.moments import SOON

pytestmark = pytest.mark.real


@pytest.fixture
def machine(bench: DockerBench) -> Machine:
    return Machine(bench, bench.plans.make())


async def test_a_daemon_that_is_not_there_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    probe = await DockerProvider().probe()
    assert not probe.usable
    assert "cannot be reached" in probe.why
    assert "systemctl start docker" in probe.remedy


async def test_a_daemon_that_is_too_old_or_none_at_all_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for answer, word in (
        (b'{"ApiVersion": "1.30", "Version": "17.06"}', "too old"),
        (b"[]", "is not Docker"),
        (b"SSH-2.0-OpenSSH", "HTTP"),
    ):
        path = tmp_path / f"{word[:3]}.sock"

        async def tell(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = answer
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = b"" if answer.startswith(b"SSH") else b"HTTP/1.1 200 OK\r\n\r\n"
            writer.write(head + answer)
            writer.close()

        server = await asyncio.start_unix_server(tell, path)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        probe = await DockerProvider().probe()
        assert not probe.usable
        assert word in probe.why
        server.close()


async def test_a_daemon_that_hangs_is_given_up_and_the_loop_goes_on(
    bench: DockerBench, machine: Machine
) -> None:
    await machine.create()
    bench.daemon.send(signal.SIGSTOP)
    try:
        with pytest.MonkeyPatch.context() as impatient:
            impatient.setattr(daemons, "PATIENCE", 0.5)
            ticks = 0
            asking = asyncio.ensure_future(Daemon(parse(bench.daemon.url)).about())
            while not asking.done():
                await asyncio.sleep(0.02)
                ticks += 1
            assert ticks >= 3
            with pytest.raises(NoAnswer):
                await asking
            impatient.setattr(daemons, "PATIENCE", 10 * SOON)
            task = asyncio.ensure_future(machine.provider.states([machine.plan]))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, SOON)
    finally:
        bench.daemon.send(signal.SIGCONT)
    assert await machine.state() is MachineState.STOPPED
    await machine.destroy()


async def test_a_daemon_that_goes_away_and_comes_back_is_followed(
    bench: DockerBench, machine: Machine
) -> None:
    await (await machine.create()).start()
    changes = bench.provider.watch()
    with bench.daemon.gone():
        with pytest.raises(ProviderError, match="cannot be reached"):
            await machine.provider.stop(machine.plan, machine.work())
        with pytest.raises(ProviderError):
            await machine.seen()
    change = await asyncio.wait_for(anext(changes), SOON)
    assert (change.id, change.seen.state) == (machine.plan.id, MachineState.STOPPED)
    await machine.start()
    assert await bench.count(machine.plan) == 1
    await machine.destroy()


async def test_a_name_that_is_taken_stays_with_whoever_has_it(bench: DockerBench, machine: Machine) -> None:
    wished = f"boxwright-{Path(machine.plan.key.project).name}-{machine.plan.key.name}"
    with bench.daemon.client() as client:
        theirs = client.containers.create("tiny:1", name=wished)
        try:
            await (await machine.create()).start()
            assert bench._find(client, machine.plan).name == f"{wished}-{machine.plan.id[:6]}"
            await machine.destroy()
            assert client.containers.get(wished).id == theirs.id
        finally:
            theirs.remove()


async def test_what_others_do_to_a_container_is_seen_and_a_renamed_one_is_still_ours(
    bench: DockerBench, machine: Machine
) -> None:
    await machine.create()
    assert await machine.state() is MachineState.STOPPED
    changes = machine.provider.watch()
    with bench.daemon.client() as client:
        theirs = bench._find(client, machine.plan)
        for action, state in (
            (theirs.start, MachineState.RUNNING),
            (theirs.pause, MachineState.SUSPENDED),
            (theirs.unpause, MachineState.RUNNING),
            (theirs.kill, MachineState.STOPPED),
        ):
            await asyncio.to_thread(action)
            change = await asyncio.wait_for(anext(changes), SOON)
            assert (change.id, change.seen.state) == (machine.plan.id, state)
        theirs.rename(f"somebody-likes-this-better-{machine.plan.id}")
        assert await machine.state() is MachineState.STOPPED
        await machine.start()
        assert await bench.count(machine.plan) == 1
        theirs.reload()
        assert theirs.name == f"somebody-likes-this-better-{machine.plan.id}"
        theirs.remove(force=True)
    async with asyncio.timeout(SOON):
        while (change := await anext(changes)).seen.state is not MachineState.BROKEN:
            pass
    assert "boxwright destroy" in change.seen.trouble
    await machine.destroy()
    assert await bench.traces(machine.plan) == []


async def test_a_range_of_addresses_that_is_in_use_is_said(bench: DockerBench) -> None:
    taken = Wiring().place(10)
    one = await Machine(bench, bench.plans.make(networks=(taken,))).create()
    again: PlannedNetwork = msgspec.structs.replace(taken, name="bwtother")
    other = Machine(bench, bench.plans.make(networks=(again,)))
    work = other.work()
    with pytest.raises(ProviderError) as raised:
        await other.provider.create(other.plan, work)
    assert "another range" in raised.value.problem.remedy
    await work.undo()
    await one.destroy()


async def test_an_image_for_another_architecture_is_refused(bench: DockerBench) -> None:
    with bench.daemon.client() as client:
        (bench.plans.root / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        folder = str(bench.plans.root)
        list(client.api.build(path=folder, tag="arm:1", platform="linux/arm64", rm=True))
        try:
            machine = Machine(bench, bench.plans.make(options={"image": "arm:1"}))
            work = machine.work()
            with pytest.raises(ProviderError, match="arm64"):
                await machine.provider.create(machine.plan, work)
            await work.undo()
        finally:
            client.images.remove("arm:1", force=True)


async def test_a_failed_build_says_where_and_leaves_no_layers(bench: DockerBench) -> None:
    (bench.plans.root / "Dockerfile").write_text("FROM tiny:1\nRUN echo one > /one\nRUN exit 4\n")
    machine = Machine(bench, bench.plans.make(options={"image": "", "dockerfile": "Dockerfile"}))
    work = machine.work()
    with pytest.raises(ProviderError, match="could not be built") as raised:
        await machine.provider.create(machine.plan, work)
    assert "exit 4" in raised.value.problem.why
    assert b"RUN exit 4" in work.output
    await work.undo()


async def test_what_a_container_cannot_run_is_explained(bench: DockerBench) -> None:
    machine = Machine(bench, bench.plans.make(options={"command": ["no-such-program"]}))
    await machine.create()
    work = machine.work()
    with pytest.raises(ProviderError) as raised:
        await machine.provider.start(machine.plan, work)
    assert "command" in raised.value.problem.remedy
    await work.undo()
    assert await machine.state() is MachineState.STOPPED
    await machine.destroy()


async def test_an_ill_container_is_not_taken_for_well(bench: DockerBench) -> None:
    check = "HEALTHCHECK --interval=200ms --retries=2 CMD test -e /well || { echo ill; exit 1; }"
    (bench.plans.root / "Dockerfile").write_text(f"FROM tiny:1\n{check}\n")
    options = {"image": "", "dockerfile": "Dockerfile", "communicator": "exec"}
    machine = await Machine(bench, bench.plans.make(options=options)).create()
    work = machine.work()
    with pytest.raises(ProviderError, match="healthy") as raised:
        await machine.provider.start(machine.plan, work)
    assert raised.value.problem.tail == ("ill",)
    await work.undo()
    well = {**options, "command": "touch /well; exec sleep 1000"}
    machine.plan = msgspec.structs.replace(machine.plan, options=well)
    work = machine.work()
    await machine.provider.start(machine.plan, work)
    assert any("health" in note for note in work.notes)
    await machine.destroy()


async def test_a_box_is_imported_once_and_leaves_with_its_last_machine(bench: DockerBench) -> None:
    import zstandard

    path = bench.plans.root / "rootfs.tar.zst"
    path.write_bytes(zstandard.compress(root_file_system({})))
    fields = {"options": {"image": "", "communicator": "exec"}, "box_files": {"rootfs.tar.zst": str(path)}}
    one, other = [Machine(bench, bench.plans.make(**fields)) for _ in range(2)]
    work = one.work()
    await one.provider.create(one.plan, work)
    assert work.states == {"Import the box": "done"}
    work = other.work()
    await other.provider.create(other.plan, work)
    assert work.states == {}
    await one.start()
    await one.destroy()
    began = await other.provider.start(other.plan, other.work())
    guest = await connect(_endpoint(began, user="vagrant"))
    said = bytearray()
    assert (await guest.run("id -un", stdout=said.extend)).status == 0
    assert bytes(said) == b"root\n", "it has no account of that name"
    await guest.close()
    await other.destroy()


def _endpoint(began: Any, user: str = "") -> Endpoint:
    return Endpoint(host=began.ssh_host, port=0, user=user, communicator="docker", target=began.target)


async def test_shells_have_a_terminal_and_end_with_their_tab(bench: DockerBench) -> None:
    machine = await Machine(bench, bench.plans.make(options={"communicator": "exec"})).create()
    began = await machine.provider.start(machine.plan, machine.work())
    guest = await connect(_endpoint(began))
    said = bytearray()
    shell = await guest.shell(said.extend, columns=90, rows=33)
    await shell.write(b"stty size; echo $((40 + 2)); sleep 1000 & \n")
    async with asyncio.timeout(SOON):
        while b"\n42" not in said:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert b"33 90" in said
    shell.resize(70, 20)
    async with asyncio.timeout(SOON):
        while b"20 70" not in said:
            await shell.write(b"stty size\n")
            await asyncio.sleep(0.1)
    await shell.close()
    async with asyncio.timeout(SOON):
        while "sleep 1000" in bench._exec(machine.plan, "ps"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await guest.close()
    await machine.destroy()
    with pytest.raises(ConnectionLostError):
        await connect(_endpoint(began))


async def test_a_command_is_held_back_while_nobody_reads_and_loses_nothing(bench: DockerBench) -> None:
    machine = await Machine(bench, bench.plans.make(options={"communicator": "exec"})).create()
    began = await machine.provider.start(machine.plan, machine.work())
    guest = await connect(_endpoint(began))
    channel = await guest.start("dd if=/dev/zero bs=65536 count=400 2>/dev/null; echo end; touch /done")
    await asyncio.sleep(0.5)
    assert bench._exec(machine.plan, "ls /done 2>/dev/null") == ""
    size = 0
    while data := await channel.read():
        size += len(data)
    assert size == 400 * 65536 + 4
    assert (await channel.wait()).status == 0
    echo = await guest.start("cat; exit 3")
    text = b"".join(b"%d\n" % number for number in range(200_000))

    async def feed() -> None:
        for place in range(0, len(text), 65536):
            await echo.write(text[place : place + 65536])
        echo.write_eof()

    feeding = asyncio.ensure_future(feed())
    back = bytearray()
    while data := await echo.read():
        back += data
    await feeding
    assert bytes(back) == text
    assert (await echo.wait()).status == 3
    await guest.close()
    await machine.destroy()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"image": "a", "dockerfile": "b"}, "not from both"),
        ({"volumes": ["here:there"]}, "volume"),
        ({"links": ["a:b:c"]}, "link"),
        ({"host": "ftp://there"}, "address"),
        ({"imagine": "a"}, "imagine"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        DockerProvider().check(options)


def test_addresses_survive_being_written() -> None:
    for address in (
        Address("unix:///var/run/docker.sock"),
        Address("tcp://there:2376", "/home/me/my certs", False),
        Address("ssh://me@there:2222"),
    ):
        assert parse(str(address)) == address


def test_contexts_of_docker_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    from core.providers.docker.address import resolve

    name = hashlib.sha256(b"far").hexdigest()
    (tmp_path / "contexts/meta" / name).mkdir(parents=True)
    meta = {"Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": "ssh://me@far"}}}
    (tmp_path / "contexts/meta" / name / "meta.json").write_text(json.dumps(meta))
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert resolve() == Address("ssh://me@far")
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    with pytest.raises(ProviderError, match="nowhere"):
        resolve()
