"""``qemuargs`` as public templates have them: in place of our own options, or beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.builds.qemu import arguments
from core.builds.qemu.hardware import Hardware, Sockets, command_line
from tests.builds.test_qemu_builds import SOURCE
from tests.builds.yard import Yard


def line(tmp_path: Path, **overrides: list[str]) -> list[str]:
    hardware = Hardware(
        emulator="qemu",
        name="x",
        machine="pc",
        accelerator="tcg",
        cpu="max",
        cpus=1,
        memory=512,
        overrides={f"-{option}": values for option, values in overrides.items()},
    )
    sockets = Sockets(monitor=tmp_path / "qmp", screen=tmp_path / "vnc", ssh_port=2345)
    return command_line(hardware, [tmp_path / "disk"], tmp_path / "ram", sockets, tmp_path / "log")


def values(argv: list[str], option: str) -> list[str]:
    return [argv[at + 1] for at, word in enumerate(argv) if word == option]


def test_options_take_the_place_of_ours(tmp_path: Path) -> None:
    argv = line(tmp_path, cpu=["host"], smp=["4"], nodefaults=[])
    assert values(argv, "-cpu") == ["host"] and values(argv, "-smp") == ["4"]
    assert "-nodefaults" in argv and "" not in argv


def test_devices_and_drives_stand_beside_ours(tmp_path: Path) -> None:
    argv = line(tmp_path, device=["virtio-serial"], drive=["file=seed.iso,media=cdrom"])
    assert values(argv, "-drive")[0].startswith(f"file={tmp_path}/disk") and len(values(argv, "-drive")) == 2
    assert values(argv, "-device")[:3] == [
        "virtio-blk-pci,drive=drive0", "virtio-net,netdev=user.0", "virtio-serial",
    ]  # fmt: skip


def test_a_network_card_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    forward = f"user,id=forward,hostfwd=tcp::{arguments.PORT}-:22"
    argv = line(tmp_path, netdev=[forward], device=["virtio-net,netdev=forward,id=net0"])
    assert values(argv, "-netdev") == ["user,id=forward,hostfwd=tcp::2345-:22"]
    assert [one for one in values(argv, "-device") if "net" in one] == ["virtio-net,netdev=forward,id=net0"]


@pytest.mark.parametrize(
    ("said", "megabytes"), [("1024M", 1024), ("2G", 2048), ("512", 512), ("size=768M,slots=2", 768), ("x", 0)]
)
def test_memory_is_understood(said: str, megabytes: int) -> None:
    assert arguments.memory({"-m": [said]}) == megabytes
    assert arguments.memory({}) == 0


def test_a_drive_that_is_the_machines_own_disk_is_not_added_again(tmp_path: Path) -> None:
    known = [tmp_path / "out/vm", tmp_path / "some, where.iso"]
    given = (
        ("-drive", "file={{ .OutputDir }}/vm,if=virtio,cache=writeback"),
        ("drive", "media=cdrom,file=some,, where.iso"),
        ("--drive", "file=seed.img,if=virtio"),
    )
    found = arguments.read(
        given,
        lambda text: text.replace("{{ .OutputDir }}", "out"),
        lambda file: arguments.same_file(file, tmp_path, known),
    )
    assert found == {"-drive": ["file=seed.img,if=virtio"]}


@pytest.mark.real
async def test_a_guest_has_what_the_arguments_say(tiny_image: Path, tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    with (yard.folder / "seed.img").open("wb") as seed:
        seed.truncate(1 << 20)
    more = """
      qemuargs = [
        ["-m", "224M"],
        ["-netdev", "user,hostfwd=tcp:127.0.0.1:{{ .SSHHostPort }}-:22,id=forward"],
        ["-device", "virtio-net,netdev=forward,id=net0"],
        ["-device", "virtio-serial"],
        ["-drive", "file={{ .OutputDir }}/{{ .Name }},if=virtio,format=qcow2"],
        ["-drive", "file=PLACE/seed.img,if=virtio,format=raw"],
      ]
    }
    """.replace("PLACE", str(yard.folder))
    text = SOURCE.format(image=tiny_image).rstrip().removesuffix("}") + more
    steps = 'provisioner "shell" { inline = ["grep MemTotal /proc/meminfo", "ls /sys/block"] }'
    yard.write("a.pkr.hcl", text + f'build {{\n  sources = ["qemu.tiny"]\n  {steps}\n}}\n')
    await yard.build()
    said = yard.work.output.decode()
    total = next(int(row.split()[1]) for row in said.splitlines() if row.startswith("MemTotal"))
    assert 160_000 < total < 230_000
    assert "vda" in said and "vdb" in said and "vdc" not in said
    assert (yard.folder / "out/packer-tiny").exists() and await yard.left() == []
