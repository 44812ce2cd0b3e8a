"""The options that people know from vagrant-libvirt: each does as it says, or is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import libvirt
import pytest

from core.errors import UsageError
from core.providers.libvirt import LibvirtProvider, refusals
from core.providers.libvirt.address import URI_VARIABLE, far_host
from core.providers.libvirt.options import Options, read_options
from tests.providers.bench import Machine
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_choices import domain, plan
from tests.support.libvirtd import Libvirtd


def built(**options: Any) -> Element:
    return domain(plan(options=options))


def one(found: Element, path: str) -> dict[str, str]:
    (element,) = found.findall(path)
    return element.attrib


EVERYTHING: dict[str, Any] = {
    "driver": "qemu",
    "default_prefix": "demo_",
    "title": "A title",
    "description": "& a <description>",
    "autostart": True,
    "machine_type": "pc",
    "memory": 96,
    "cpus": 2,
    "cpu_mode": "custom",
    "cpu_model": "qemu64",
    "cpu_fallback": "forbid",
    "cpu_feature": [{"name": "aes", "policy": "disable"}],
    "cputopology": {"sockets": "1", "cores": "2", "threads": "1"},
    "nested": True,
    "shares": 512,
    "memorybacking": {"name": "nosharepages"},
    "memtune": {"type": "hard_limit", "value": 4000000},
    "features": ["acpi", "apic", "pae"],
    "hyperv_feature": {"name": "relaxed", "state": "on"},
    "clock_offset": "localtime",
    "clock_timer": [{"name": "rtc", "tickpolicy": "catchup"}],
    "boot": ["cdrom", "hd", "network"],
    "sysinfo": {"system": {"manufacturer": "M"}, "oem strings": ["one"]},
    "disk_bus": "scsi",
    "disk_controller_model": "virtio-scsi",
    "disk_driver": {"io": "threads"},
    "volume_cache": "writeback",
    "storage": [{"size": "20M", "bus": "virtio", "serial": "data", "cache": "unsafe"}],
    "nic_model_type": "e1000",
    "graphics_type": "spice",
    "graphics_autoport": True,
    "keymap": "de",
    "video_type": "cirrus",
    "video_vram": 16384,
    "sound_type": "ich6",
    "input": [{"type": "mouse", "bus": "usb"}],
    "channel": {"type": "spicevmc", "target_name": "com.redhat.spice.0"},
    "qemu_use_agent": True,
    "random": {"model": "random"},
    "watchdog": {"model": "i6300esb", "action": "poweroff"},
    "usb_controller": {"model": "nec-xhci", "ports": 4},
    "redirdev": {"type": "spicevmc"},
    "redirfilter": {"allow": "yes"},
    "serial": [{"type": "null"}],
    "memballoon_enabled": False,
    "qemuargs": [{"value": "-msg"}, {"value": "timestamp=on"}],
    "qemuenv": {"BW_TEST": "1"},
}


def test_what_is_asked_for_is_in_the_domain() -> None:
    found = built(**EVERYTHING)
    assert (found.findtext("title"), found.findtext("description")) == ("A title", "& a <description>")
    assert found.findtext("memory") == str(96 * 1024)
    assert found.findtext("vcpu") == "2"
    assert found.findtext("cpu/model") == "qemu64"
    assert one(found, "cpu/model")["fallback"] == "forbid"
    assert [part.attrib for part in found.iterfind("cpu/feature")] == [
        {"policy": "disable", "name": "aes"},
        {"policy": "optional", "name": "svm"},
        {"policy": "optional", "name": "vmx"},
    ]
    assert found.findtext("cputune/shares") == "512"
    assert found.findtext("memtune/hard_limit") == "4000000"
    assert one(found, "os/type")["machine"] == "pc"
    assert [part.tag for part in found.iterfind("features/*")] == ["acpi", "apic", "pae", "hyperv"]
    assert one(found, "clock")["offset"] == "localtime"
    assert one(found, "devices/disk[1]/boot")["order"] == "2"
    assert one(found, "devices/interface/boot")["order"] == "3"
    assert one(found, "devices/disk[1]/driver")["cache"] == "writeback"
    assert one(found, "devices/interface/model")["type"] == "e1000"
    assert one(found, "devices/graphics")["keymap"] == "de"
    assert one(found, "devices/graphics/listen") == {"type": "address", "address": "127.0.0.1"}
    assert one(found, "devices/watchdog") == {"model": "i6300esb", "action": "poweroff"}
    assert one(found, "devices/memballoon") == {"model": "none"}
    assert found.findtext("devices/rng/backend") == "/dev/random"
    names = {part.get("name") for part in found.iterfind("devices/channel/target")}
    assert names == {"com.redhat.spice.0", "org.qemu.guest_agent.0"}


def test_cds_are_where_every_guest_finds_them() -> None:
    found = built(cdroms=["seed.iso"], storage={"device": "floppy", "path": "/x/f.img"})
    cd, floppy = found.findall("devices/disk")[1:]
    assert cd.find("source").get("file") == "/projects/shop/seed.iso"  # type: ignore[union-attr]
    assert cd.find("target").attrib == {"dev": "sda", "bus": "sata"}  # type: ignore[union-attr]
    assert cd.find("readonly") is not None
    assert floppy.find("target").attrib == {"dev": "fda", "bus": "fdc"}  # type: ignore[union-attr]
    assert built(machine="pc", cdroms=["a.iso"]).find("devices/disk[2]/target").get("bus") == "ide"  # type: ignore[union-attr]


def test_what_is_said_of_the_management_network_alone_is_of_vagrants_usual_one() -> None:
    assert read_options({"management_network_mtu": 1400}).management_network == "vagrant-libvirt"
    assert read_options({}).management_network == ""


def test_a_tpm_is_emulated_where_no_device_is_named() -> None:
    assert one(built(tpm_model="tpm-crb"), "devices/tpm") == {"model": "tpm-crb"}
    assert one(built(tpm_version="2.0"), "devices/tpm/backend") == {"type": "emulator", "version": "2.0"}
    found = built(tpm_type="passthrough", tpm_path="/dev/tpm0")
    assert one(found, "devices/tpm/backend/device") == {"path": "/dev/tpm0"}


def test_cards_at_bridges_and_devices_of_the_host() -> None:
    found = built(
        networks=[{"bridge": "br0", "mac": "52:54:00:AA:00:01"}, {"device": "eth0", "model": "e1000"}]
    )
    _, bridge, device = found.findall("devices/interface")
    assert (bridge.get("type"), bridge.find("source").attrib) == ("bridge", {"bridge": "br0"})  # type: ignore[union-attr]
    assert bridge.find("mac").get("address") == "52:54:00:aa:00:01"  # type: ignore[union-attr]
    assert (device.get("type"), device.find("source").get("dev")) == ("direct", "eth0")  # type: ignore[union-attr]


def test_host_devices_are_passed_through() -> None:
    found = built(
        pci={"bus": "0x06", "slot": "0x12", "function": "0x5"}, usb={"vendor": "0x1234", "product": "0xabcd"}
    )
    pci, usb = found.findall("devices/hostdev")
    assert pci.find("source/address").get("slot") == "0x12"  # type: ignore[union-attr]
    assert usb.find("source/vendor").get("id") == "0x1234"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(refusals.REFUSED))
def test_what_cannot_be_had_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_options({name: "x"})
    assert name in raised.value.problem.what
    assert raised.value.problem.why
    assert raised.value.problem.remedy


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"graphics_type": "vnc", "graphics_ip": "0.0.0.0"}, "loopback"),
        ({"machine": "q35", "machine_type": "pc"}, "same"),
        ({"cpu": "qemu64", "cpu_mode": "host-model"}, "same"),
        ({"cpu_mode": "custom"}, "model"),
        ({"cpu_mode": "host-model", "cpu_model": "qemu64"}, "custom"),
        ({"random_hostname": False}, "id"),
        ({"mgmt_attach": False}, "first card"),
        ({"suspend_mode": "pause"}, "disk"),
        ({"boot": ["tape"]}, "hd"),
        ({"storage": {"device": "cdrom"}}, "path"),
        ({"storage": {"size": "1G", "path": "/x"}}, "either"),
        ({"storage": {"size": "large"}}, "size"),
        ({"disk_bus": "scsi", "disk_device": "vda"}, "sda"),
        ({"networks": [{"bridge": "a", "network": "b"}]}, "one"),
        ({"networks": [{"bridge": "a", "mac": "x"}]}, "address"),
        ({"management_network_name": "m", "management_network_address": "192.168.1.1/24"}, "host bits"),
        ({"host": "far"}, "loopback"),
        ({"uri": "qemu:///system", "host": "far"}, "where"),
        ({"uri": "lxc:///"}, "provider of their own"),
        ({"init": "/bin/sh"}, "init of their own"),
        ({"uri": "vz:///system"}, "user network"),
        ({"tpm_type": "passthrough"}, "device"),
        ({"nvram": "/x"}, "firmware"),
        ({"initrd": "/x"}, "kernel"),
        ({"snapshots": "external", "storage_pool_name": "default"}, "folder"),
        ({"title": "a\x00b"}, "title"),
        ({"graphics_port": 5901}, "screen"),
        ({"graphics_type": "vnc", "graphics_autoport": False}, "port"),
        ({"video_type": "virtio", "video_vram": 16384}, "memory"),
        ({"cpu_fallback": "forbid"}, "model"),
        ({"storage": {"size": "1G", "type": "raw"}}, "qcow2"),
        ({"storage": {"device": "cdrom", "path": "/x", "cache": "none"}}, "cache"),
        ({"default_prefix": "a/"}, "slash"),
    ],
)
def test_what_makes_no_sense_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        LibvirtProvider().check(table)
    assert said in f"{raised.value.problem.what} {raised.value.problem.why}"


def test_where_libvirt_is_may_be_said_in_parts() -> None:
    assert read_options({"qemu_use_session": True}).uri == "qemu:///session"
    assert read_options({"socket": "/run/x"}).uri == "qemu+unix:///system?socket=/run/x"
    options = read_options(
        {"host": "far", "username": "ann", "connect_via_ssh": True, "id_ssh_key_file": "/k", "port": 2222}
    )
    assert options.uri == "qemu+ssh://ann@far:2222/system?keyfile=/k&no_tty=1"
    host = far_host(options.uri)
    assert host and (host.name, host.user, host.port, host.key) == ("far", "ann", 2222, "/k")
    assert far_host("qemu:///system") is None


def test_every_option_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "libvirt.md").read_text()
    missing = [name for name in (*Options.__struct_fields__, *refusals.REFUSED) if f"`{name}`" not in page]
    assert missing == []


@pytest.mark.real
async def test_libvirt_understands_all_of_it(
    system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    bench = LibvirtBench(short_folder, system_daemon.uri)
    (short_folder / "seed.iso").write_bytes(bytes(1 << 20))
    options = {**EVERYTHING, "graphics_type": "vnc", "cdroms": ["seed.iso"], "cpu_mode": "", "cpu_model": ""}
    del (
        options["redirdev"],
        options["redirfilter"],
        options["channel"],
        options["cpu_mode"],
        options["cpu_model"],
    )
    del options["cpu_fallback"], options["memtune"], options["hyperv_feature"], options["shares"]
    del options["sound_type"]
    machine = Machine(bench, bench.plans.make(options=options))
    try:
        await (await machine.create()).start()
        assert await bench.count(machine.plan) == 1
        made = bench.domain(machine.plan)
        assert made.name().startswith("demo_")
        assert made.autostart() == 1
        tree = ElementTree.fromstring(made.XMLDesc(0))
        assert one(tree, "devices/disk[@device='cdrom']/source")["file"] == str(short_folder / "seed.iso")
        assert len(tree.findall("devices/disk[@device='disk']")) == 2
        assert one(tree, "devices/graphics")["port"] != "-1"
    finally:
        await machine.destroy()
        await bench.close()


def _own_certificates(home: Path) -> None:
    """What swtpm needs to make a TPM for a user who may not use the system's authority."""
    (home / "swtpm-localca.options").write_text(
        "--platform-manufacturer Test\n--platform-model Test\n--platform-version 1\n"
    )
    (home / "swtpm-localca.conf").write_text(
        f"statedir = {home}/ca\nsigningkey = {home}/ca/key.pem\n"
        f"issuercert = {home}/ca/issuer.pem\ncertserial = {home}/ca/serial\n"
    )
    (home / "ca").mkdir(exist_ok=True)
    (home / "swtpm_setup.conf").write_text(
        "create_certs_tool = /usr/bin/swtpm_localca\n"
        f"create_certs_tool_config = {home}/swtpm-localca.conf\n"
        f"create_certs_tool_options = {home}/swtpm-localca.options\n"
    )


@pytest.mark.real
async def test_an_emulated_tpm_comes_and_goes_with_the_machine(
    session_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _own_certificates(session_daemon.folder / "home")
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    bench = LibvirtBench(short_folder, session_daemon.uri)
    machine = Machine(bench, bench.plans.make(options={"tpm_model": "tpm-crb", "tpm_type": "emulator"}))
    try:
        await (await machine.create()).start()
        assert await bench.count(machine.plan) == 1
        state = next(session_daemon.folder.rglob("tpm2-00.permall"))
        await machine.provider.suspend(machine.plan, machine.work())
        await machine.provider.resume(machine.plan, machine.work())
        assert await bench.count(machine.plan) == 2
    finally:
        await machine.destroy()
        await bench.close()
    assert not state.exists()


@pytest.mark.real
def test_libvirt_defines_what_needs_more_than_this_computer_has(system_daemon: Libvirtd) -> None:
    handle = libvirt.open(system_daemon.uri)
    more = {
        **EVERYTHING,
        "tpm_type": "emulator",
        "tpm_model": "tpm-crb",
        "tpm_version": "2.0",
        "networks": ["default", {"bridge": "br0"}, {"device": "eth0"}],
        "pci": {"bus": "0x06", "slot": "0x12", "function": "0x5", "guest_bus": "0x00", "guest_slot": "0x1c"},
        "usb": {"vendor": "0x1234", "product": "0xabcd", "startupPolicy": "optional"},
        "cpuaffinitiy": {"0": "0"},
        "cpuset": "0-1",
        "nodeset": "0",
        "numa_nodes": [{"cpus": "0-1", "memory": 98304}],
        "disk_address_type": "",
        "kvm_hidden": True,
    }
    xml = ElementTree.tostring(built(**more), encoding="unicode")
    handle.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE).undefine()
