"""What a machine gets of what its plan asks for, as the real VirtualBox sees it."""

from __future__ import annotations

import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

import msgspec
import pytest

from core.errors import ProviderError, UsageError
from core.model.machine import ExtraDisk, MachineKey, MachineState, PlannedNetwork, WantedPort
from core.providers.virtualbox.context import existing
from core.providers.virtualbox.layout import Layout, machine_uuid
from core.providers.virtualbox.networks import check_permitted
from tests.providers.bench import SSH, Machine, NewMachine
from tests.providers.virtualbox.bench import VirtualBoxBench
from tests.support.virtualbox import VirtualBox, make_box

pytestmark = pytest.mark.real


def info(virtualbox: VirtualBox, machine: Machine) -> dict[str, str]:
    lines = virtualbox.manage("showvminfo", machine_uuid(machine.plan.id), "--machinereadable").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key.strip('"'): value.strip('"') for key, value in pairs}


async def configured(machine: Machine) -> Machine:
    """Made, and its start tried: it brings the settings up to date, and fails for want of the module."""
    await machine.create()
    with pytest.raises(ProviderError, match="cannot start"):
        await machine.start()
    return machine


async def test_size_serial_port_and_firmware(virtualbox: VirtualBox, machines: NewMachine) -> None:
    machine = await machines(cpus=2, memory=128 << 20, firmware="uefi").create()
    found = info(virtualbox, machine)
    assert (found["cpus"], found["memory"], found["firmware"]) == ("2", "128", "EFI")
    assert found["uartmode1"] == f"server,{Layout.of(machine.plan).serial_socket}"


async def test_vagrants_own_options_are_understood(
    bench: VirtualBoxBench, virtualbox: VirtualBox, machines: NewMachine
) -> None:
    options = {
        "name": "the web/server",
        "memory": 96,
        "cpus": 3,
        "linked_clone": False,
        "default_nic_type": "virtio",
    }
    machine = await machines(options=options).create()
    found = info(virtualbox, machine)
    assert (found["name"], found["memory"], found["cpus"]) == ("the web/server", "96", "3")
    assert found["nictype1"] == "virtio"
    ((only,),) = existing(machine.plan).disks
    assert only.startswith(str(Layout.of(machine.plan).home))
    await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    await machine.destroy()
    assert await bench.traces(machine.plan) == []


async def test_ports_are_rules_of_nat_on_loopback(virtualbox: VirtualBox, machines: NewMachine) -> None:
    wanted = (SSH, WantedPort(guest=53, host=30553, protocol="udp", name="a,b"))
    found = info(virtualbox, await configured(machines(ports=wanted)))
    rules = sorted(value.split(",", 1)[1] for key, value in found.items() if key.startswith("Forwarding"))
    assert found["nic1"] == "nat"
    assert rules[1] == "udp,127.0.0.1,30553,,53"
    assert rules[0].startswith("tcp,127.0.0.1,")
    assert rules[0].endswith(",,22")


async def test_networks_of_the_project_are_internal_ones(
    virtualbox: VirtualBox, machines: NewMachine
) -> None:
    network = PlannedNetwork(name="bx1", label="lan", mac="52:54:00:12:34:56", subnet="10.9.0.0/24")
    options = {"networks": [{"kind": "internal", "name": "own net"}]}
    machine = await machines(networks=(network,), options=options).create()
    found = info(virtualbox, machine)
    assert (found["nic2"], found["intnet2"], found["macaddress2"]) == ("intnet", "bx1", "525400123456")
    assert (found["nic3"], found["intnet3"]) == ("intnet", "own net")


async def test_a_host_only_network_outside_of_what_is_permitted_is_refused_with_the_fix(
    machines: NewMachine,
) -> None:
    network = PlannedNetwork(name="bx1", label="lan", mac="52:54:00:12:34:56", subnet="10.9.0.0/24")
    machine = machines(networks=(network,), options={"project_networks": "hostonly"})
    work = machine.work()
    with pytest.raises(ProviderError, match="does not allow") as raised:
        await machine.provider.create(machine.plan, work)
    assert "192.168.56.0/21" in raised.value.problem.why
    remedy = raised.value.problem.remedy
    assert "echo '* 192.168.56.0/21 10.9.0.0/24' | sudo tee -a /etc/vbox/networks.conf" in remedy
    await work.undo()


async def test_a_host_only_network_that_is_permitted_needs_the_module(machines: NewMachine) -> None:
    options = {"networks": [{"kind": "hostonly", "subnet": "192.168.57.0/24"}]}
    machine = machines(options=options)
    work = machine.work()
    with pytest.raises(ProviderError) as raised:
        await machine.provider.create(machine.plan, work)
    assert "vboxnetctl" in raised.value.problem.why
    await work.undo()


@pytest.mark.parametrize("text", [None, "* 10.1.0.0/16 172.16.5.0/24\n", "# nothing\n", "* 0.0.0.0/0 ::/0\n"])
def test_what_is_permitted_is_what_virtualbox_itself_permits(
    virtualbox: VirtualBox, tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "networks.conf"
    if text is not None:
        file.write_text(text)
        virtualbox.run("sh", "-c", 'printf %s "$1" >/etc/vbox/networks.conf', "sh", text)
    try:
        for subnet in (
            "10.1.2.0/24",
            "172.16.5.0/24",
            "192.168.56.0/24",
            "192.168.63.0/24",
            "192.168.64.0/24",
        ):
            network = IPv4Network(subnet)
            address = str(network.network_address + 1)
            tool = ("/usr/lib/virtualbox/VBoxNetAdpCtl", "vboxnet0", address, "netmask", "255.255.255.0")
            allowed = "permission denied" not in virtualbox.run(*tool, check=False).stderr
            try:
                check_permitted(network, "7.2.0", file)
            except ProviderError:
                assert not allowed, subnet
            else:
                assert allowed, subnet
    finally:
        virtualbox.run("rm", "-f", "/etc/vbox/networks.conf")


async def test_commands_of_customize_are_run_in_their_moments(
    virtualbox: VirtualBox, machines: NewMachine
) -> None:
    options = {
        "customize": [
            ["modifyvm", ":id", "--vram", "33"],
            ["post-import", "setextradata", ":id", "mine/key", "said, 'so'"],
        ]
    }
    machine = await machines(options=options).create()
    said = virtualbox.manage("getextradata", machine_uuid(machine.plan.id), "mine/key")
    assert "said, 'so'" in said
    assert info(virtualbox, machine)["vram"] != "33"
    with pytest.raises(ProviderError, match="cannot start"):
        await machine.start()
    assert info(virtualbox, machine)["vram"] == "33"


async def test_a_command_that_virtualbox_refuses_is_named_with_its_reason(
    bench: VirtualBoxBench, machines: NewMachine
) -> None:
    machine = machines(options={"customize": [["post-import", "modifyvm", ":id", "--no-such-thing", "1"]]})
    work = machine.work()
    with pytest.raises(ProviderError, match="--no-such-thing") as raised:
        await machine.provider.create(machine.plan, work)
    assert "no-such-thing" in raised.value.problem.why
    assert "vboxdrv" not in raised.value.problem.why
    await work.undo()
    assert await bench.traces(machine.plan) == []


async def test_shared_folders(bench: VirtualBoxBench, virtualbox: VirtualBox, machines: NewMachine) -> None:
    project = bench.plans.root / "project"
    (project / "src").mkdir(parents=True)
    folders = [{"host": "src", "guest": "/srv/app"}, {"host": str(project), "name": "all", "writable": False}]
    key = MachineKey(str(project), "web")
    machine = await machines(key=key, options={"shared_folders": folders}).create()
    found = info(virtualbox, machine)
    assert found["SharedFolderNameMachineMapping1"] in ("srv_app", "all")
    paths = {found[f"SharedFolderPathMachineMapping{number}"] for number in (1, 2)}
    assert paths == {str(project / "src"), str(project)}
    with pytest.raises(UsageError, match="not there"):
        await machines(key=key, options={"shared_folders": [{"host": "nowhere"}]}).create()


async def test_extra_disks_are_attached_and_those_of_a_changed_plan_are_added(
    bench: VirtualBoxBench, virtualbox: VirtualBox, machines: NewMachine
) -> None:
    one = ExtraDisk(name="data", size=10 << 30)
    machine = await machines(extra_disks=(one,)).create()
    assert len(existing(machine.plan).disks) == 2
    more = msgspec.structs.replace(machine.plan, extra_disks=(one, ExtraDisk(name="more", size=1 << 20)))
    with pytest.raises(ProviderError, match="cannot start"):
        await Machine(bench, more).start()
    assert existing(machine.plan).extra == ("data", "more")
    assert len(existing(machine.plan).disks) == 3
    attached = [value for value in info(virtualbox, machine).values() if value.endswith("extra0.vdi")]
    assert len(attached) == 1


async def test_a_clone_has_what_its_source_has_written(bench: VirtualBoxBench, machines: NewMachine) -> None:
    disks = (ExtraDisk(name="data", size=8 << 20),)
    source = await machines(extra_disks=disks).create()
    own = Layout.of(source.plan).home / "extra0.vdi"
    subprocess.run(
        ["qemu-io", "-f", "vdi", "-c", "write -P 7 1M 64k", str(own)], check=True, capture_output=True
    )
    copy = await source.clone(machines(extra_disks=disks))
    (theirs,) = [Path(chain[0]) for chain in existing(copy.plan).disks if len(chain) == 1]
    assert theirs.parent == Layout.of(copy.plan).home
    read = ["qemu-io", "-r", "-f", "vdi", "-c", "read -P 7 1M 64k", str(theirs)]
    assert (
        "verification failed" not in subprocess.run(read, check=True, capture_output=True, text=True).stdout
    )


async def test_a_machine_with_a_copy_of_the_box_can_be_cloned(machines: NewMachine) -> None:
    source = await machines(options={"linked_clone": False}).create()
    await (await machines().create()).destroy()
    copy = await source.clone(machines())
    await source.destroy()
    assert await copy.state() is MachineState.STOPPED


async def test_an_ova_is_a_box_too(
    bench: VirtualBoxBench, virtualbox: VirtualBox, machines: NewMachine
) -> None:
    folder = virtualbox.folder / "ova"
    make_box(virtualbox, folder, disk=virtualbox.folder / "box.img", appliance="some.ova")
    stored = bench.plans.root / "blob.ova"
    shutil.copyfile(folder / "some.ova", stored)
    machine = await machines(box_files={"some.ova": str(stored)}).create()
    assert await machine.state() is MachineState.STOPPED


async def test_a_snapshot_that_several_others_are_made_from_cannot_be_deleted(machines: NewMachine) -> None:
    machine = await machines().create()
    provider, plan = machine.provider, machine.plan
    for name in ("a", "b"):
        await provider.save_snapshot(plan, name, machine.work())
    await provider.restore_snapshot(plan, "a", machine.work())
    await provider.save_snapshot(plan, "c", machine.work())
    with pytest.raises(ProviderError, match="cannot be deleted") as raised:
        await provider.delete_snapshot(plan, "a", machine.work())
    assert raised.value.problem.remedy
    assert len(await provider.snapshots(plan)) == 3
