"""What is decided without VirtualBox: options, states, permitted ranges, errors, the serial log."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import sys
import tempfile
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.providers.virtualbox.worker
from core.errors import BusyError, ProviderError, UsageError
from core.model.machine import Forward, MachineKey, MachinePlan, MachineState
from core.providers.virtualbox import (
    appliance,
    customizing,
    host,
    networks,
    probing,
    states,
    statistics,
    troubles,
)
from core.providers.virtualbox.bridge import VirtualBoxError
from core.providers.virtualbox.console import Consoles
from core.providers.virtualbox.context import Row
from core.providers.virtualbox.definition import rule
from core.providers.virtualbox.layout import Layout, machine_uuid
from core.providers.virtualbox.memory import refuse_without_ports
from core.providers.virtualbox.options import read_options
from core.providers.virtualbox.provider import VirtualBoxProvider
from core.providers.virtualbox.record import Record


@pytest.fixture
def plan(tmp_path: Path) -> MachinePlan:
    folder = tmp_path / "machines" / "0000000000ab"
    folder.mkdir(parents=True)
    return MachinePlan(
        id="0000000000ab",
        key=MachineKey(str(tmp_path), "web"),
        folder=str(folder),
        runtime=str(tmp_path / "run"),
        disks=(),
    )


@pytest.fixture
def record(plan: MachinePlan) -> Record:
    """Of a machine whose files are there."""
    layout = Layout.of(plan)
    layout.home.mkdir()
    own, base = layout.home / "own.vmdk", layout.machine_folder.parent / "base.vmdk"
    for path in (own, base, layout.settings(plan)):
        path.touch()
    return Record(id=plan.id, box="boxwright-box-1", disks=((str(own), str(base)),))


class TestOptions:
    def test_all_that_is_documented(self) -> None:
        options = read_options(
            {
                "gui": True,
                "customize": [
                    ["modifyvm", ":id", "--vram", "32"],
                    ["post-boot", "guestproperty", "get", ":id"],
                ],
                "shared_folders": [{"host": ".", "guest": "/srv", "name": "srv", "writable": False}],
                "networks": [
                    {"kind": "internal", "name": "lan"},
                    {"kind": "bridged", "name": "eth0"},
                    {"kind": "hostonly", "subnet": "192.168.56.0/24"},
                ],
                "project_networks": "hostonly",
            }
        )
        assert options.commands("pre-boot") == [("modifyvm", ":id", "--vram", "32")]
        assert options.commands("post-boot") == [("guestproperty", "get", ":id")]
        assert options.commands("pre-import") == []

    @pytest.mark.parametrize(
        "table",
        [
            {"customize": [[]]},
            {"customize": [["pre-boot"]]},
            {"customize": [["--help"]]},
            {"customize": [["modifyvm", "a\0b"]]},
            {"networks": [{"kind": "hostonly"}]},
            {"networks": [{"kind": "hostonly", "subnet": "fe80::/64"}]},
            {"networks": [{"kind": "internal"}]},
            {"networks": [{"kind": "nat"}]},
            {"project_networks": "bridged"},
            {"gui": "yes"},
            {"memory": "much"},
            {"cpus": 0},
            {"default_nic_type": "ne2000"},
            {"name": "a\nb"},
            {"shared_folders": [{"guest": "/srv"}]},
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, table: dict[str, Any]) -> None:
        with pytest.raises(UsageError):
            read_options(table)


class TestStates:
    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("PoweredOff", MachineState.STOPPED),
            ("Aborted", MachineState.STOPPED),
            ("Saved", MachineState.SUSPENDED),
            ("AbortedSaved", MachineState.SUSPENDED),
            ("Running", MachineState.RUNNING),
            ("Starting", MachineState.STARTING),
            ("Stopping", MachineState.STOPPING),
            ("Paused", MachineState.SUSPENDED),
            ("Stuck", MachineState.RUNNING),
            ("a word of a later version", MachineState.STOPPED),
        ],
    )
    def test_virtualboxes_words_are_ours(
        self, plan: MachinePlan, record: Record, word: str, state: MachineState
    ) -> None:
        assert states.judge(plan, record, Row(name="x", state=word), busy=False).state is state

    def test_a_paused_one_says_how_to_go_on_unless_we_paused_it(
        self, plan: MachinePlan, record: Record
    ) -> None:
        row = Row(name="x", state="Paused")
        assert "boxwright resume web" in states.judge(plan, record, row, busy=False).trouble
        assert states.judge(plan, record, row, busy=True).state is MachineState.RUNNING

    def test_the_version_of_the_guest_additions_is_shown(self, plan: MachinePlan, record: Record) -> None:
        seen = states.judge(plan, record, Row(name="x", state="Running", additions="7.0.8"), busy=False)
        assert seen.started and seen.started.facts["guest additions"] == "7.0.8"

    def test_settings_that_cannot_be_read_are_a_broken_machine(
        self, plan: MachinePlan, record: Record
    ) -> None:
        seen = states.judge(plan, record, Row(name="", state="", trouble="no such file"), busy=False)
        assert (seen.state, "no such file" in seen.trouble) == (MachineState.BROKEN, True)

    def test_a_killed_process_is_told_from_a_guest_that_powered_off(self) -> None:
        assert "killed" in states.end_text(Row(name="x", state="Aborted"))
        assert states.end_text(Row(name="x", state="PoweredOff")) == ""


class TestPermittedRanges:
    def test_old_versions_permit_everything(self, tmp_path: Path) -> None:
        networks.check_permitted(IPv4Network("10.0.0.0/24"), "6.1.26", tmp_path / "none")

    def test_the_fix_keeps_what_is_permitted_already(self, tmp_path: Path) -> None:
        file = tmp_path / "networks.conf"
        file.write_text("* 10.5.0.0/16\n")
        with pytest.raises(ProviderError) as raised:
            networks.check_permitted(IPv4Network("10.6.0.0/24"), "7.0.10_Ubuntur1", file)
        assert f"echo '* 10.6.0.0/24' | sudo tee -a {file}" in raised.value.problem.remedy

    @given(st.text())
    def test_any_file_can_be_read(self, text: str) -> None:
        networks.read_permitted(text)


class TestErrors:
    @pytest.mark.parametrize(
        ("said", "remedy"),
        [
            ("VT-x is being used by another hypervisor (VERR_VMX_IN_VMX_ROOT_MODE)", "modprobe -r"),
            ("AMD-V is disabled in the BIOS (VERR_SVM_DISABLED)", "virtualization"),
            ("Out of memory (VERR_NO_MEMORY)", "memory"),
        ],
    )
    def test_reasons_of_a_failed_start_have_remedies(
        self, plan: MachinePlan, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
    ) -> None:
        monkeypatch.setattr(troubles, "module_missing", lambda: False)
        error = troubles.not_started(plan, VirtualBoxError("VirtualBox refused it.", number=1, why=said))
        assert said in error.problem.why
        assert remedy in error.problem.remedy

    def test_a_module_that_is_only_not_loaded_is_loaded(self, tmp_path: Path) -> None:
        import os

        place = tmp_path / os.uname().release / "updates"
        place.mkdir(parents=True)
        (place / "vboxdrv.ko.xz").touch()
        assert troubles.module_remedy(tmp_path).endswith(("modprobe vboxdrv", "vboxconfig"))

    def test_what_vboxmanage_said_is_told_without_its_noise(self) -> None:
        errors = (
            "WARNING: The character device /dev/vboxdrv does not exist.\n"
            "VBoxManage: error: Unknown option: --x\nUsage:\n  VBoxManage modifyvm\n"
        )
        assert customizing.said(errors) == "Unknown option: --x"


OVF = """<?xml version="1.0"?>
<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References><File ovf:id="file1" ovf:href="{}"/></References>
</Envelope>"""


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 6.0.24r139119", "6.0.24 is too old"),
        ("echo cannot load a library >&2; exit 1", "cannot load a library"),
        ("exec sleep 600", "does not answer"),
    ],
)
async def test_a_virtualbox_that_will_not_do_is_said_with_what_mends_it(
    script: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "VBoxManage"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv(host.PREFIX_VARIABLE, "")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(probing, "PATIENCE", 1.0)
    probe = await VirtualBoxProvider().probe()
    assert not probe.usable and why in probe.why and probe.remedy


class TestHostileBoxes:
    def check(self, plan: MachinePlan, tmp_path: Path, files: dict[str, bytes]) -> None:
        stored = {}
        for number, (name, content) in enumerate(files.items()):
            path = tmp_path / f"blob{number}"
            path.write_bytes(content)
            stored[name] = str(path)
        made = msgspec.structs.replace(plan, box_files=stored)
        appliance.check(made, appliance.find(made))

    def test_what_names_its_own_files_may_be_read(self, plan: MachinePlan, tmp_path: Path) -> None:
        self.check(plan, tmp_path, {"box.ovf": OVF.format("d.vmdk").encode(), "d.vmdk": b"KDMV"})
        self.check(plan, tmp_path, {"in/a.ovf": OVF.format("d.vmdk").encode(), "in/d.vmdk": b"KDMV"})

    @pytest.mark.parametrize(
        "name", ["/etc/shadow", "../../etc/shadow", "other.vmdk", "file:///etc/passwd", ""]
    )
    def test_a_description_that_leads_out_of_the_box_is_refused(
        self, plan: MachinePlan, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises(ProviderError, match="cannot import") as raised:
            self.check(plan, tmp_path, {"box.ovf": OVF.format(name).encode(), "d.vmdk": b"KDMV"})
        assert "not in the box" in raised.value.problem.why

    def test_a_disk_whose_content_lies_elsewhere_is_refused(self, plan: MachinePlan, tmp_path: Path) -> None:
        disk = b'# Disk DescriptorFile\nversion=1\nRW 4 FLAT "/etc/shadow" 0\n'
        with pytest.raises(ProviderError, match="cannot import") as raised:
            self.check(plan, tmp_path, {"box.ovf": OVF.format("d.vmdk").encode(), "d.vmdk": disk})
        assert "has no content" in raised.value.problem.why

    @given(st.binary(max_size=400))
    def test_any_description_is_read_or_refused(self, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(ProviderError):
            path = Path(folder)
            whole = MachinePlan(
                id="0000000000ab", key=MachineKey(folder, "web"), folder=folder, runtime=folder, disks=()
            )
            self.check(whole, path, {"box.ovf": content})


def test_counters_are_added_up_over_devices() -> None:
    xml = (
        '<Statistics><Counter c="100" unit="bytes" name="/Public/Storage/AHCI0/Port0/BytesRead"/>'
        '<Counter c="11" unit="bytes" name="/Public/Storage/AHCI0/Port1/BytesRead"/>'
        '<Counter c="7" unit="bytes" name="/Public/NetAdapter/0/BytesTransmitted"/></Statistics>'
    )
    assert statistics.read_counters(xml) == {"BytesRead": 111, "BytesTransmitted": 7}
    assert statistics.read_counters("not XML") == {}


def test_names_of_forwardings_cannot_divide_a_rule() -> None:
    made = rule(Forward(guest=80, host=8080, name="a,b"))
    assert made == {"name": "tcp8080", "protocol": "tcp", "address": "127.0.0.1", "host": 8080, "guest": 80}


def test_saved_memory_is_not_resumed_onto_a_port_of_somebody_else(plan: MachinePlan, record: Record) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        taken = msgspec.structs.replace(record, ports=(Forward(guest=22, host=port),))
        with pytest.raises(BusyError, match=str(port)):
            refuse_without_ports(plan, taken)


def test_uuids_follow_from_ids() -> None:
    assert machine_uuid("0000000000ab") == machine_uuid("0000000000ab") != machine_uuid("0000000000ac")


async def test_what_the_serial_port_says_is_logged_whoever_looks(plan: MachinePlan, record: Record) -> None:
    """A socket as VirtualBox offers it."""
    layout = Layout.of(plan)
    layout.runtime.mkdir()
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def port(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"login: ")
        await writer.drain()
        heard.put_nowait(await reader.read(4))
        writer.write(b"welcome")
        writer.close()

    server = await asyncio.start_unix_server(port, str(layout.serial_socket))
    consoles = Consoles()
    consoles.keep(plan)
    async with asyncio.timeout(20):
        console = await consoles.open(plan)
        said = b""
        while b"login: " not in said:
            said += await console.read()
        await console.write(b"root")
        assert await heard.get() == b"root"
        while data := await console.read():
            said += data
    assert said == b"login: welcome" == layout.serial_log.read_bytes()
    await consoles.close()
    server.close()


def test_the_worker_needs_an_old_python_and_pyvbox_alone() -> None:
    """The Python with VirtualBox's binding is the system's: it may be old, and has none of our packages."""
    package = Path(core.providers.virtualbox.worker.__file__).parent
    allowed = {*sys.stdlib_module_names, "virtualbox"}
    above = [package.parents[depth] / "__init__.py" for depth in range(3)]
    for path in (*package.glob("*.py"), *above):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 9))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = "core.providers.virtualbox.worker"
            strange = [
                name for name in names if name.split(".")[0] not in allowed and not name.startswith(ours)
            ]
            assert not strange, f"{path.name} imports {strange}"
