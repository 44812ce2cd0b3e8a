"""A server elsewhere: the same daemon over https, met by a trust token."""

from __future__ import annotations

import base64
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from core.errors import ProviderError
from core.guests.connecting import connect
from core.model.machine import Endpoint, MachineState, WantedPort
from core.providers.lxd import trust
from core.providers.lxd.place import Place
from tests.providers.bench import SSH, Machine
from tests.providers.lxd.bench import LxdBench
from tests.providers.networks import Wiring
from tests.support.lxd import Lxd, running

pytestmark = pytest.mark.real


@pytest.fixture
def address(daemon: Lxd) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon.lxc("config", "set", "core.https_address", f"127.0.0.1:{port}")
    return f"https://127.0.0.1:{port}"


async def token(daemon: Lxd, file: Path) -> str:
    said = await daemon.aside.lxc("config", "trust", "add", "--name", "boxwright-test")
    file.write_text(said.strip().splitlines()[-1])
    return str(file)


@pytest.fixture
async def remote(bench: LxdBench, daemon: Lxd, address: str, short_folder: Path) -> AsyncIterator[Machine]:
    options = {
        "remote": address,
        "token_file": await token(daemon, short_folder / "token"),
        "project": "elsewhere",
    }
    await daemon.aside.lxc(
        "project", "create", "elsewhere", "-c", "features.profiles=false", "-c", "features.images=false"
    )
    made = Machine(bench, bench.plans.make(options=options, ports=(SSH, WantedPort(guest=22, name="web"))))
    yield made
    await made.destroy()
    await daemon.aside.lxc("project", "delete", "elsewhere")
    for entry in await daemon.aside.query("/1.0/certificates?recursion=1"):
        await daemon.aside.lxc("config", "trust", "remove", entry["fingerprint"])
    await daemon.aside.lxc("config", "unset", "core.https_address")


async def test_a_server_elsewhere_is_met_by_its_token_and_used_like_the_local_one(
    remote: Machine, daemon: Lxd, address: str, bench: LxdBench
) -> None:
    provider, plan = remote.provider, remote.plan
    probe = await provider.probe(plan.options)
    assert probe.usable and address.removeprefix("https://") in probe.why
    await remote.create()
    assert (trust._folder() / "client.key").stat().st_mode & 0o777 == 0o600
    changes = provider.watch()
    began = await provider.start(plan, remote.work())
    assert (began.communicator, began.ssh_host) == ("lxd", address)
    assert "loopback" in began.facts["ports"]
    guest = await connect(
        Endpoint(communicator="lxd", host=began.ssh_host, port=22, user="root", target=began.target)
    )
    said = bytearray()
    assert (await guest.run("id -u; exit 7", stdout=said.extend)).status == 7
    assert said == b"0\n"
    await guest.close()
    await provider.save_snapshot(plan, "one", remote.work())
    assert [point.name for point in await provider.snapshots(plan)] == ["one"]
    assert (await provider.stats(plan)).memory > 0
    name = began.target.partition("/")[2]
    assert await daemon.aside.query("/1.0/instances?project=elsewhere") == [
        f"/1.0/instances/{name}?project=elsewhere"
    ]
    await daemon.aside.lxc("stop", "--force", "--project", "elsewhere", name)
    assert (await anext(changes)).seen.state is MachineState.STOPPED
    # The token has done its work: another engine needs none.
    plan = msgspec.structs.replace(plan, options={**plan.options, "token_file": ""})
    other = bench.again()
    assert (await other.states([plan]))[plan.id].state is MachineState.STOPPED


async def test_a_server_that_is_not_known_says_how_to_meet_it(bench: LxdBench, address: str) -> None:
    machine = Machine(bench, bench.plans.make(options={"remote": address}))
    with pytest.raises(ProviderError, match="no certificate") as raised:
        await machine.create()
    assert "trust add" in raised.value.problem.remedy
    with pytest.raises(ProviderError, match="no certificate"):
        await machine.seen()


async def test_a_server_that_is_another_one_is_not_trusted(
    bench: LxdBench, daemon: Lxd, address: str, short_folder: Path
) -> None:
    file = short_folder / "token"
    await token(daemon, file)
    real = trust.read_token(str(file))
    forged = msgspec.structs.replace(real, fingerprint="0" * 64)
    with pytest.raises(ProviderError, match="not the server"):
        trust.introduce(Place(address), forged)
    assert not trust.known(Place(address))
    spent = {"fingerprint": real.fingerprint, "client_name": "spent", "secret": "0" * 64, "addresses": []}
    file.write_bytes(base64.b64encode(msgspec.json.encode(spent)))
    machine = Machine(bench, bench.plans.make(options={"remote": address, "token_file": str(file)}))
    with pytest.raises(ProviderError, match="does not accept"):
        await machine.create()
    assert not trust.known(Place(address))


@pytest.fixture
def member() -> Iterator[Lxd]:
    """A daemon that becomes a cluster, which it then stays."""
    with running() as daemon:
        yield daemon


async def test_a_member_of_a_cluster_gets_the_machine(
    member: Lxd, rootfs: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LXD_DIR", str(member.folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    await member.aside.lxc("config", "set", "core.https_address", f"127.0.0.1:{port}")
    await member.aside.lxc("cluster", "enable", "member")
    bench = LxdBench(short_folder, member, rootfs)
    places = Wiring()
    machine = Machine(bench, bench.plans.make(options={"target": "member"}, networks=(places.place(10),)))
    wrong = Machine(bench, bench.plans.make(options={"target": "nobody"}))
    before = await member.aside.objects()
    try:
        await machine.create()
        await machine.start()
        assert await bench.count(machine.plan) == 1
        (path,) = await member.aside.named(machine.plan.id)
        assert (await member.aside.query(path))["location"] == "member"
        work = wrong.work()
        with pytest.raises(ProviderError):
            await wrong.provider.create(wrong.plan, work)
        await work.undo()
        await machine.destroy()
        assert await member.aside.objects() == before
    finally:
        await bench.close()
