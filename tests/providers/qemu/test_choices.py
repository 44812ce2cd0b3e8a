"""The pure parts: options, acceleration, firmware, versions, the command line, records, ports."""

from __future__ import annotations

import errno
import json
import socket
import string
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BusyError, ProviderError, UsageError
from core.model.machine import Forward, MachineKey, MachinePlan, WantedPort
from core.providers import firmware, ports, tools
from core.providers.acceleration import Host, choose
from core.providers.neighbours import ports_of_others
from core.providers.qemu import command, processes, record
from core.providers.qemu.last_words import died
from core.providers.qemu.layout import Layout
from core.providers.qemu.options import read_options

# Options


def test_options_have_defaults_and_take_lists() -> None:
    assert read_options({}).accelerator == "auto"
    assert read_options({"args": ["-device", "edu"]}).args == ("-device", "edu")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"memory": 3}, "no option 'memory'"),
        ({"args": "-device edu"}, "args"),
        ({"args": [1]}, "args"),
        ({"accelerator": "fast"}, "accelerator cannot be 'fast'"),
        ({"display": True}, "display"),
        ({"cpu": "-x"}, "cpu cannot be"),
    ],
)
def test_wrong_options_are_usage_errors(table: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_options(table)
    assert said in str(raised.value)


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
)
def test_options_of_any_kind_are_taken_or_refused(table: dict[str, object]) -> None:
    try:
        read_options(table)
    except UsageError as error:
        assert error.problem.what


# Acceleration

KVM = Host(system="linux", architecture="x86_64", kvm_device=True, kvm_allowed=True, virtualization=True)


@pytest.mark.parametrize(
    ("host", "guest", "name", "reason"),
    [
        (KVM, "x86_64", "kvm", "runs the guest itself"),
        (KVM, "aarch64", "tcg", "the guest is aarch64"),
        (msgspec.structs.replace(KVM, virtualization=False), "x86_64", "tcg", "no vmx or svm"),
        (msgspec.structs.replace(KVM, kvm_device=False), "x86_64", "tcg", "no /dev/kvm"),
        (msgspec.structs.replace(KVM, kvm_allowed=False), "x86_64", "tcg", "may not open"),
        (Host(system="darwin", architecture="aarch64", hvf=True), "aarch64", "hvf", "itself"),
        (Host(system="darwin", architecture="aarch64", hvf=True), "x86_64", "tcg", "the guest is x86_64"),
        (Host(system="darwin", architecture="x86_64"), "x86_64", "tcg", "no hypervisor support"),
        (Host(system="freebsd14", architecture="x86_64"), "x86_64", "tcg", "on Linux only"),
    ],
)
def test_the_best_accelerator_is_chosen_and_says_why(host: Host, guest: str, name: str, reason: str) -> None:
    chosen = choose("auto", guest, host)
    assert chosen.name == name
    assert reason in chosen.reason


def test_a_named_accelerator_is_taken_or_refused_with_a_remedy() -> None:
    assert choose("kvm", "x86_64", KVM).name == "kvm"
    assert choose("tcg", "x86_64", KVM).name == "tcg"
    with pytest.raises(ProviderError) as raised:
        choose("kvm", "x86_64", msgspec.structs.replace(KVM, kvm_allowed=False))
    assert "usermod" in raised.value.problem.remedy
    with pytest.raises(ProviderError) as raised:
        choose("hvf", "x86_64", KVM)
    assert "macOS" in raised.value.problem.what


# Programs and firmware


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=debian\n", "sudo apt-get install -y qemu-system-x86"),
        ('ID="linuxmint"\nID_LIKE="ubuntu debian"\n', "sudo apt-get install -y qemu-system-x86"),
        ("ID=fedora\n", "sudo dnf install -y qemu-system-x86-core"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "sudo zypper install -y qemu-x86"),
        ("ID=arch\n", "sudo pacman -S --noconfirm qemu-system-x86"),
        ("rubbish\n", "package manager"),
    ],
)
def test_the_remedy_is_this_systems_own_command(tmp_path: Path, release: str, command: str) -> None:
    file = tmp_path / "os-release"
    file.write_text(release)
    assert command in tools.install_command("emulator", "x86_64", file)


def test_versions_are_read_as_qemu_writes_them() -> None:
    assert tools.parse_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)") == (7, 2, 22)
    assert tools.parse_version("qemu-img version 9.1\n") == (9, 1)
    assert tools.parse_version("error while loading shared libraries") == ()


def test_firmware_is_found_as_a_pair_or_the_package_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "OVMF"
    folder.mkdir()
    (folder / "OVMF_CODE.fd").touch()
    with pytest.raises(ProviderError) as raised:
        firmware.find("x86_64", [tmp_path])
    assert raised.value.problem.remedy
    (folder / "OVMF_VARS.fd").touch()
    assert firmware.find("x86_64", [tmp_path]).variables == folder / "OVMF_VARS.fd"


# The command line

LAUNCH = record.Launch(
    architecture="x86_64", machine="q35", accelerator="tcg", cpu="max", cpus=2, memory=300 << 20,
    disks=("disk0",),
)  # fmt: skip
RECORD = record.Record(
    id="0123456789ab",
    disks=(
        record.DiskFile(file="disk0.qcow2", node="disk0"),
        record.DiskFile(file="extra0.qcow2", node="extra0", extra="a,b"),
    ),
)


def line(folder: str = "/m/x", name: str = "web", **changes: object) -> list[str]:
    launch = msgspec.structs.replace(LAUNCH, **changes)
    forwards = (Forward(22, 20022, name="ssh"), Forward(53, 5353, protocol="udp"))
    layout = Layout(Path(folder), Path("/r/x"))
    return command.build("qemu-system-x86_64", name, layout, RECORD, launch, forwards)


def test_the_command_line_has_all_that_was_asked_for() -> None:
    said = " ".join(line())
    for part in (
        "-accel tcg,thread=multi -cpu max",
        "-smp 2 -m 300M",
        "hostfwd=tcp:127.0.0.1:20022-:22,hostfwd=udp:127.0.0.1:5353-:53",
        "-daemonize -pidfile /m/x/qemu/qemu.pid",
        "mac=52:54:00:01:23:45",
        "virtio-rng-pci",
        "logfile=/m/x/qemu/serial.log",
    ):
        assert part in said
    assert "extra0" not in said, "only what is attached"
    assert "0.0.0.0" not in said


def test_a_screen_is_private() -> None:
    for display in ("screen", "vnc"):
        said = line(display=display)
        assert said[said.index("-vnc") + 1] == "unix:/r/x/vnc"
    assert "-vnc" not in line(display="none")
    own = ("-vnc", "unix:/elsewhere")
    assert line(display="screen", args=own).count("-vnc") == 1, "the project's own is the only one"


@given(st.text(alphabet=string.printable + "äß,=", min_size=1))
def test_no_name_or_folder_breaks_out_of_its_argument(name: str) -> None:
    plain = line()
    odd = line(folder=f"/m/{name}", name=name)
    assert len(odd) == len(plain)
    home = f"/m/{name}/qemu"
    file = json.loads(odd[odd.index("-blockdev") + 1])["file"]
    assert Path(file["filename"]) == Path(home) / "disk0.qcow2"
    serial = next(argument for argument in odd if argument.startswith("socket,id=serial0"))
    logfile = serial.split(",logfile=")[1].removesuffix(",logappend=on").replace(",,", "\0")
    assert "," not in logfile


def test_extra_disks_carry_their_names_into_the_guest() -> None:
    said = line(disks=("disk0", "extra0"))
    assert any(argument.endswith("serial=a,,b") for argument in said)


def test_extra_arguments_come_last_and_as_they_are() -> None:
    assert line(args=("-device", "edu"))[-2:] == ["-device", "edu"]


def devices(said: list[str]) -> list[str]:
    return [said[number + 1] for number, word in enumerate(said) if word == "-device"]


def test_a_plain_card_takes_no_other_devices_place() -> None:
    plain = line()
    assert devices(line(display="screen")) == [*devices(plain), "VGA"]
    assert "VGA" not in plain, "a record from before machines had a card has none"
    assert "VGA" not in line(display="screen", architecture="aarch64", machine="virt")


@pytest.mark.parametrize(
    "own", [("-vga", "std"), ("-device", "virtio-gpu-pci"), ("-device", "secondary-vga")]
)
def test_a_card_that_the_project_names_is_the_only_one(own: tuple[str, ...]) -> None:
    said = line(display="screen", args=own)
    assert tuple(said[-2:]) == own and "VGA" not in said


# Records


@given(st.binary())
def test_any_file_is_a_record_or_a_provider_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder), Path(folder))
        layout.home.mkdir()
        layout.record.write_bytes(data)
        try:
            assert record.read(layout) is not None
        except ProviderError as error:
            assert error.problem.remedy


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    layout.home.mkdir()
    record.write(layout, RECORD)
    assert record.read(layout) == RECORD
    assert sorted(path.name for path in layout.home.iterdir()) == ["machine.json"]


# Ports


def plan(*wanted: WantedPort, machine_id: str = "000000000001", folder: Path = Path("/m")) -> MachinePlan:
    return MachinePlan(
        id=machine_id, key=MachineKey("/p", "m"), folder=str(folder / machine_id), runtime="/r", disks=(),
        ports=wanted,
    )  # fmt: skip


@pytest.fixture
def all_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _protocol, _port: True)


@pytest.mark.usefixtures("all_free")
def test_the_order_of_the_plan_is_kept_and_no_port_is_given_twice() -> None:
    wanted = (WantedPort(guest=22), WantedPort(guest=80, host=20001), WantedPort(guest=81, host=20001))
    chosen = ports.choose(plan(*wanted), ports.Claims())
    assert [forward.guest for forward in chosen] == [22, 80, 81]
    assert chosen[1].host == 20001
    assert len({forward.host for forward in chosen}) == 3
    assert chosen[2].wanted == 20001


@pytest.mark.usefixtures("all_free")
def test_ports_of_an_earlier_run_are_taken_again_and_those_of_others_avoided() -> None:
    wanted = (WantedPort(guest=22, name="ssh"),)
    claims = ports.Claims()
    first = ports.choose(plan(*wanted), claims, (Forward(22, 23456, name="ssh"),))
    assert first[0].host == 23456
    usual = ports.choose(plan(*wanted), ports.Claims())[0].host
    other = ports.choose(plan(*wanted), ports.Claims(), others={("tcp", usual)})
    assert other[0].host != usual


@pytest.mark.usefixtures("all_free")
def test_a_claim_holds_until_it_is_released() -> None:
    claims = ports.Claims()
    wanted = WantedPort(guest=80, host=8080, auto_correct=False)
    ports.choose(plan(wanted), claims)
    with pytest.raises(BusyError):
        ports.choose(plan(wanted, machine_id="000000000002"), claims)
    claims.release("000000000001")
    assert ports.choose(plan(wanted, machine_id="000000000002"), claims)[0].host == 8080


def test_when_nothing_is_free_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _protocol, _port: False)
    with pytest.raises(ProviderError, match="No free port"):
        ports.choose(plan(WantedPort(guest=80, host=65535)), ports.Claims())


def test_a_listener_is_seen_on_any_address_and_named() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        assert not ports.is_free("tcp", port)
        assert "process" in ports.holder("tcp", port)
    assert ports.is_free("tcp", port)
    assert ports.holder("tcp", port) == ""


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_that_is_not_for_everybody_says_so(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(ports, "_listen_error", lambda _protocol, _port: number)
    with pytest.raises(ProviderError) as raised:
        ports.choose(plan(WantedPort(guest=80, host=80, auto_correct=False)), ports.Claims())
    assert "1024" in raised.value.problem.remedy


def test_neighbours_are_asked_for_their_ports_whatever_lies_about(tmp_path: Path) -> None:
    mine = plan(folder=tmp_path)
    for name in ("000000000001", "000000000002", "000000000003"):
        layout = Layout(tmp_path / name, tmp_path)
        layout.home.mkdir(parents=True)
        forward = Forward(22, 20000 + int(name), name="ssh")
        record.write(layout, msgspec.structs.replace(RECORD, ports=(forward,)))
    Layout(tmp_path / "000000000003", tmp_path).record.write_bytes(b"rubbish")
    (tmp_path / "a file").touch()
    assert ports_of_others(mine) == {("tcp", 20002)}


# Processes and last words


def test_processes_are_told_from_what_ps_prints() -> None:
    listed = (
        b"    1 /sbin/launchd\n  402 /usr/local/bin/qemu-system-x86_64 -name boxwright web -daemonize "
        b"-pidfile /Users/a b/m/qemu/qemu.pid -D /x\n  9 grep -pidfile\n"
    )
    assert list(processes.parse_ps(listed)) == [
        (402, b"/usr/local/bin/qemu-system-x86_64 -name boxwright web -daemonize"
         b"\0-pidfile\0/Users/a b/m/qemu/qemu.pid\0")
    ]  # fmt: skip


@given(st.lists(st.text()))
def test_any_last_words_make_an_error_with_a_remedy(said: list[str]) -> None:
    problem = died(said).problem
    assert problem.remedy
    assert problem.tail == tuple(said)
