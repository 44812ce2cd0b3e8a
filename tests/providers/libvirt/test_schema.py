"""What is handed to libvirt is valid by libvirt's own schemas, also where no such hypervisor is at hand."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from core.model.machine import ExtraDisk, MachinePlan
from core.providers.libvirt import definition
from core.providers.libvirt.containers import definition as containers
from core.providers.libvirt.containers.options import USUAL
from core.providers.libvirt.definition import Hardware
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import read_options
from core.providers.libvirt.record import DiskFile, Record
from tests.providers.bench import Plans
from tests.providers.networks import Wiring


@pytest.fixture
def plan(tmp_path: Path) -> MachinePlan:
    disks = (ExtraDisk(name="data", size=1 << 30),)
    return Plans(tmp_path).make(networks=(Wiring().place(10),), extra_disks=disks, cpus=2)


def validated(xml: str, folder: Path) -> None:
    file = folder / "definition.xml"
    file.write_text(xml)
    ended = subprocess.run(
        ["virt-xml-validate", str(file), "domain"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, f"{ended.stdout}{ended.stderr}{xml}"


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"networks": ["default", {"bridge": "br0"}], "cpuset": "0-1", "shares": 512, "title": "one"},
        {"init": "/bin/sh -c 'exec sleep 1'", "management_network_name": "management", "memory": "1GiB"},
    ],
)
def test_containers_are_valid(plan: MachinePlan, tmp_path: Path, table: dict[str, object]) -> None:
    options = read_options({"uri": USUAL, **table})
    validated(containers.build("one", plan, options, Layout.of(plan)), tmp_path)


@pytest.mark.parametrize(
    "table",
    [
        {},
        {
            "graphics_type": "spice",
            "tpm_type": "emulator",
            "cpus": 4,
            "disk_bus": "scsi",
            "snapshots": "external",
        },
        {"networks": ["default"], "cpu_mode": "host-model", "nested": True, "boot": ["hd", "network"]},
    ],
)
def test_virtual_machines_are_valid(plan: MachinePlan, tmp_path: Path, table: dict[str, object]) -> None:
    plan = msgspec.structs.replace(plan, firmware="uefi")
    disks = (DiskFile(file="disk0.qcow2"), DiskFile(file="extra0.qcow2", extra="data"))
    record = Record(id=plan.id, uri="qemu:///system", disks=disks)
    for hardware in (Hardware(kvm=True, owner="+0:+0", firmware="/code.fd"), Hardware(kvm=False, far=True)):
        xml = definition.build("one", plan, read_options(table), record, Layout.of(plan), hardware)
        validated(xml, tmp_path)
