"""What the options choose, on a real LXD."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.model.machine import ExtraDisk
from core.providers.lxd.guest import ExecGuest
from core.providers.lxd.instances import default_name
from tests.providers.bench import Machine
from tests.providers.lxd.bench import LxdBench
from tests.support.lxd import Lxd

pytestmark = pytest.mark.real


async def test_a_container_with_an_ssh_server_is_reached_by_its_port(
    bench: LxdBench, machine: Machine
) -> None:
    machine.plan = msgspec.structs.replace(machine.plan, options={"communicator": "ssh"})
    await machine.create()
    began = await machine.provider.start(machine.plan, machine.work())
    assert (began.communicator, began.ssh_host) == ("ssh", "127.0.0.1")
    assert await bench.count(machine.plan) == 1
    said = b""
    async with asyncio.timeout(20):
        while not said.startswith(b"SSH-"):
            reader, writer = await asyncio.open_connection("127.0.0.1", began.ssh_port)
            said = await reader.read(100)
            writer.close()


async def test_disks_limits_profiles_and_the_first_network_are_as_asked_for(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    await daemon.aside.lxc("network", "create", daemon.bridge, "ipv4.address=none", "ipv6.address=none")
    await daemon.aside.lxc("profile", "create", "bench")
    await daemon.aside.lxc("profile", "set", "bench", "user.bench=1")
    try:
        options = {"profiles": ["default", "bench"], "network": daemon.bridge, "pool": "default"}
        disks = (ExtraDisk(name="data disk", size=1 << 20),)
        machine.plan = msgspec.structs.replace(machine.plan, options=options, extra_disks=disks, cpus=2)
        await (await machine.create()).start()
        assert await bench.count(machine.plan) == 1
        instance = await daemon.aside.query(f"/1.0/instances/{default_name(machine.plan)}")
        assert instance["expanded_config"]["user.bench"] == "1"
        assert instance["config"]["limits.cpu"] == "2"
        assert instance["config"]["limits.memory"] == f"{machine.plan.memory}B"
        assert instance["devices"]["eth0"]["network"] == daemon.bridge
        guest = ExecGuest(bench._connection, default_name(machine.plan))
        ran = await guest.run("grep -q ' /mnt/data-disk ' /proc/mounts && echo kept >/mnt/data-disk/file")
        assert ran.status == 0
        await machine.provider.stop(machine.plan, machine.work(), force=True)
        await machine.start()
        assert (await guest.run("grep -q kept /mnt/data-disk/file")).status == 0
    finally:
        await machine.destroy()
        await daemon.aside.lxc("profile", "delete", "bench")
        await daemon.aside.lxc("network", "delete", daemon.bridge)
