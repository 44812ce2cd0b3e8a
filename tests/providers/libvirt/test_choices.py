"""What is decided without a daemon: options, the domain's XML, what is read from libvirt's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.model.machine import Disk, ExtraDisk, MachineKey, MachinePlan
from core.providers.libvirt import cards, definition, library, standstill, troubles
from core.providers.libvirt.address import default_uri
from core.providers.libvirt.definition import Hardware
from core.providers.libvirt.host import read_capabilities
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.library import LibvirtError
from core.providers.libvirt.options import Options, read_options
from core.providers.libvirt.record import DiskFile, Record, run_of
from core.providers.libvirt.snapshots import read_point
from core.providers.libvirt.statistics import read_numbers

ID = "0123456789ab"


def plan(**changes: Any) -> MachinePlan:
    fields: dict[str, Any] = {
        "id": ID,
        "key": MachineKey("/projects/shop", "web"),
        "folder": "/data/machines/x",
        "runtime": "/run/x",
        "disks": (Disk(path="/boxes/a.qcow2"),),
    }
    return MachinePlan(**{**fields, **changes})


def domain(made: MachinePlan, record: Record | None = None, **hardware: Any) -> ElementTree.Element:
    record = record or Record(id=ID, uri="qemu:///system", disks=(DiskFile(file="disk0.qcow2"),))
    options = read_options(made.options)
    xml = definition.build(
        "n", made, options, record, Layout.of(made), Hardware(**{"kvm": False, **hardware})
    )
    return ElementTree.fromstring(xml)


# Options


@pytest.mark.parametrize(
    "uri",
    ["", "qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/run/x", "qemu://localhost/system"],
)
def test_connections_to_this_computer_are_taken(uri: str) -> None:
    assert read_options({"uri": uri}).uri == uri


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"uri": "qemu+tls://far/system"}, "begin with"),
        ({"uri": "qemu://far/system"}, "SSH alone"),
        ({"uri": "xen+tls:///system"}, "qemu:"),
        ({"uri": "qemu://[::1/system"}, ""),
        ({"accelerator": "hvf"}, ""),
        ({"display": "sdl"}, ""),
        ({"networks": "default"}, ""),
        ({"cpu": "a\nb"}, ""),
        ({"url": "x"}, "uri"),
    ],
)
def test_wrong_options_are_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_options(table)
    assert said in raised.value.problem.why


def test_the_default_is_libvirts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_uri() == "qemu:///system"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_uri() == "qemu:///session"
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "qemu:///elsewhere")
    assert default_uri() == "qemu:///elsewhere"


# The domain


def test_the_domain_says_whose_it_is() -> None:
    found = domain(plan())
    mark = found.find(f"metadata/{{{definition.MARK}}}machine")
    assert mark is not None
    assert definition.marked_id(ElementTree.tostring(mark, encoding="unicode")) == ID
    assert found.findtext("uuid") == domain_uuid(ID)
    assert definition.domain_name(plan(), Options()) == f"boxwright-web-{ID}"


def test_kvm_and_emulation() -> None:
    assert domain(plan(), kvm=True).get("type") == "kvm"
    assert domain(plan(), kvm=True).find("cpu").attrib == {"mode": "host-passthrough"}  # type: ignore[union-attr]
    assert domain(plan()).get("type") == "qemu"
    assert domain(plan()).find("cpu").attrib == {"mode": "maximum"}  # type: ignore[union-attr]
    assert domain(plan(options={"cpu": "qemu64"})).findtext("cpu/model") == "qemu64"


def test_the_guest_runs_as_the_owner_of_its_files() -> None:
    label = domain(plan(), owner="+1000:+1000").find("seclabel")
    assert label is not None
    assert label.attrib == {"type": "static", "model": "dac", "relabel": "no"}
    assert label.findtext("label") == "+1000:+1000"
    assert domain(plan()).find("seclabel") is None


def test_disks_keep_their_places_when_one_is_taken_out() -> None:
    disks = tuple(DiskFile(file=f"d{n}", extra=f"e{n}" if n else "") for n in range(30))
    record = Record(id=ID, uri="", disks=disks)
    wanted = tuple(ExtraDisk(name=f"e{n}", size=1) for n in range(1, 30) if n != 2)
    targets = [
        target.get("dev") for target in domain(plan(extra_disks=wanted), record).iterfind(".//disk/target")
    ]
    assert targets[:3] == ["vda", "vdb", "vdd"]
    assert targets[-4:] == ["vdaa", "vdab", "vdac", "vdad"]


def test_networks_come_after_the_one_with_the_forwarded_ports() -> None:
    found = domain(plan(options={"networks": ["default", "inner"]}))
    kinds = [card.get("type") for card in found.iterfind("devices/interface")]
    assert kinds == ["user", "network", "network"]
    assert [source.get("network") for source in found.iterfind(".//source[@network]")] == ["default", "inner"]
    macs = [mac.get("address") for mac in found.iterfind(".//mac")]
    assert len(set(macs)) == 3
    assert macs[1] == cards.mac(ID, 1)


def test_uefi_has_variables_of_its_own() -> None:
    found = domain(plan(), firmware="/usr/share/code.fd")
    assert found.findtext("os/loader") == "/usr/share/code.fd"
    assert found.findtext("os/nvram") == "/data/machines/x/libvirt/nvram.fd"


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_any_text_stays_text(text: str) -> None:
    record = Record(
        id=ID, uri="", disks=(DiskFile(file="disk0.qcow2"), DiskFile(file="extra0.qcow2", extra=text or "e"))
    )
    made = plan(
        key=MachineKey("/x" + text, "web"),
        folder="/data/" + text.replace("/", ""),
        extra_disks=(ExtraDisk(name=text or "e", size=1),),
    )
    found = domain(made, record)
    mark = found.find(f"metadata/{{{definition.MARK}}}machine")
    assert mark is not None and mark.get("project") == "/x" + text
    source = found.find("devices/disk/source")
    assert source is not None and source.get("file") == str(Layout.of(made).home / "disk0.qcow2")
    serial = found.findtext("devices/disk/serial", "")
    assert len(serial) <= 20
    assert serial.isascii()


# What is read


CAPABILITIES = """<capabilities><host>{models}</host>
<guest><arch name='i686'><domain type='qemu'/></arch></guest>
<guest><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest></capabilities>"""


def test_capabilities_are_read() -> None:
    root = read_capabilities(CAPABILITIES.format(models="<secmodel><model>dac</model></secmodel>"))
    assert root.chowns
    assert root.guests == {"i686": ("qemu",), "x86_64": ("qemu", "kvm")}
    assert not read_capabilities(CAPABILITIES.format(models="")).chowns


def test_snapshots_of_ours_and_of_others_are_read() -> None:
    mine = read_point(
        "<domainsnapshot><name>boxwright-3b9aca00-x</name><description>a/b</description>"
        "<memory snapshot='internal'/><parent><name>p</name></parent><creationTime>7</creationTime>"
        "</domainsnapshot>",
        "boxwright-3b9aca00-x",
    )
    assert (mine.name, mine.created, mine.parent, mine.memory, mine.current) == ("a/b", 1.0, "p", True, True)
    other = read_point(
        "<domainsnapshot><name>s</name><description>why</description><memory snapshot='no'/>"
        "<creationTime>7</creationTime></domainsnapshot>",
        "",
    )
    assert (other.name, other.created, other.memory, other.current) == ("s", 7.0, False, False)


def test_numbers_are_added_up() -> None:
    stats = read_numbers(
        {
            "cpu.time": 2_500_000_000,
            "balloon.rss": 3,
            "block.count": 2,
            "block.0.rd.bytes": 1,
            "block.1.rd.bytes": 2,
            "block.1.wr.bytes": 4,
            "net.count": 1,
            "net.0.rx.bytes": 8,
        },
        1.0,
    )
    assert (stats.cpu_seconds, stats.memory, stats.disk_read, stats.disk_written) == (2.5, 3072, 3, 4)
    assert (stats.net_received, stats.net_sent) == (8, 0)


def test_runs_are_told_apart() -> None:
    assert run_of(1) != run_of(2)


# Remedies


@pytest.mark.parametrize(
    ("uri", "why", "remedy"),
    [
        ("qemu:///system", "Failed to connect socket to '/x': Permission denied", "usermod -aG libvirt"),
        ("qemu:///system", "authentication unavailable: no polkit agent", "usermod -aG libvirt"),
        ("qemu:///system", "Failed to connect socket to '/x': No such file or directory", "libvirtd"),
        ("qemu:///session", "Failed to connect socket to '/x': Connection refused", "libvirtd -d"),
    ],
)
def test_what_mends_it(uri: str, why: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "daemon", lambda: "/usr/sbin/libvirtd")
    error = troubles.unreachable(uri, LibvirtError("libvirt refused.", why=why))
    assert remedy in error.problem.remedy
    assert why in error.problem.why


def test_without_a_daemon_it_is_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "daemon", lambda: "")
    error = troubles.unreachable("qemu:///system", LibvirtError("libvirt refused.", why="No such file"))
    assert "install" in error.problem.remedy


def test_without_its_python_module_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(LibvirtError, match="Python module libvirt") as raised:
        library.module()
    assert f"{sys.executable} -m pip install 'libvirt-python" in raised.value.problem.remedy
    assert troubles.unreachable("qemu:///system", raised.value) is raised.value


def test_options_have_defaults() -> None:
    assert read_options({}) == Options()
    assert Layout.from_facts(Layout.of(plan()).facts()) == Layout(Path("/data/machines/x"), Path("/run/x"))


# Containers


@pytest.mark.parametrize(
    ("line", "sign", "frozen", "running"),
    [
        ("6:freezer:/machine/x", "freezer/machine/x/freezer.state", "FROZEN\n", "THAWED\n"),
        ("6:freezer:/machine/x", "freezer/machine/x/freezer.state", "FREEZING\n", "THAWED\n"),
        ("0::/machine/x", "machine/x/cgroup.events", "populated 1\nfrozen 1\n", "populated 1\nfrozen 0\n"),
    ],
)
def test_a_container_that_stands_still_is_told_by_control_groups_of_both_versions(
    tmp_path: Path, line: str, sign: str, frozen: str, running: str
) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    (proc / "7").mkdir(parents=True)
    (proc / "7/cgroup").write_text(f"5:cpu,cpuacct:/machine/x\n{line}\n")
    assert not standstill.is_frozen(7, proc, groups), "nothing says so"
    (groups / sign).parent.mkdir(parents=True)
    for said, still in ((frozen, True), (running, False)):
        (groups / sign).write_text(said)
        assert standstill.is_frozen(7, proc, groups) is still
    assert not standstill.is_frozen(8, proc, groups), "it has ended"
