"""Disk images that are changed on real QEMU: steps, kept states, what a failure leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from core.builds.asking import Question
from core.builds.base import Request
from core.builds.layers import LayerStore
from core.builds.qemu.disk_images import empty
from core.builds.qemu.emulator import Emulator
from core.builds.qemu.hardware import INTERFACES, Hardware, Media, Sockets, command_line
from core.builds.qemu.picture import Picture
from core.builds.qemu.screen import picture_of
from core.errors import BoxwrightError
from core.model.work import Work
from core.providers import acceleration, tools
from core.provisioners.base import ProvisionError
from tests.builds.test_process import alive
from tests.builds.yard import Yard
from tests.support.work import RecordingWork

pytestmark = pytest.mark.real

SOURCE = """
source "qemu" "tiny" {{
  iso_url          = "{image}"
  iso_checksum     = "none"
  disk_image       = true
  memory           = 192
  ssh_username     = "vagrant"
  shutdown_command = "sudo poweroff"
  output_directory = "out"
}}
"""
STEPS = """
build {
  sources = ["qemu.tiny"]
  provisioner "shell" {
    environment_vars = ["COLOUR=it's blue"]
    execute_command  = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
    inline = [
      "echo $COLOUR $(id -u) $PACKER_BUILD_NAME > /root/first",
      "cat /proc/sys/kernel/random/boot_id",
    ]
  }
  provisioner "file" {
    content     = "of ${build.User}@${build.Host}"
    destination = "/home/vagrant/second"
  }
  provisioner "shell" {
    inline = ["sudo cat /root/first", "cat second; echo", "cat /proc/sys/kernel/random/boot_id", "CHANGED"]
  }
  post-processor "vagrant" { output = "tiny.box" }
}
"""


async def test_a_disk_image_becomes_a_box_and_a_changed_step_goes_on_from_the_state_before_it(
    tiny_image: Path, tmp_path: Path
) -> None:
    yard = Yard(tmp_path)
    template = SOURCE.format(image=tiny_image) + STEPS
    yard.write("a.pkr.hcl", template.replace("CHANGED", "echo last"))
    await yard.build()
    said = yard.work.output.decode().splitlines()
    assert "it's blue 0 tiny" in said
    assert "of vagrant@127.0.0.1" in said
    boots = {line for line in said if line.count("-") == 4}
    assert len(boots) == 1
    subprocess.run(["tar", "-tzf", yard.folder / "tiny.box"], check=True, capture_output=True)
    assert not (yard.folder / "out").exists(), "the input of the chain goes, as in Packer"
    assert await yard.left() == []
    assert len(LayerStore(yard.locations.layers).list()) == 4

    await yard.build()
    assert yard.work.states["qemu.tiny"] == "cached"

    yard.write("a.pkr.hcl", template.replace("CHANGED", "echo other"))
    await yard.build(request=Request(force=True))
    states = [state for name, state in yard.work.states.items() if name.startswith("Provision ")]
    assert states == ["cached", "cached", "done"]
    said = yard.work.output.decode().splitlines()
    assert "other" in said
    assert {line for line in said if line.count("-") == 4} == boots, "it was never booted again"
    assert alive(tmp_path) == []

    layers = LayerStore(yard.locations.layers)
    assert layers.prune(0) and layers.list() == ()


async def test_a_failed_step_is_tried_again_when_asked_and_then_leaves_nothing(
    tiny_image: Path, tmp_path: Path
) -> None:
    yard = Yard(tmp_path)
    script = yard.write("script.sh", "echo broken; exit 4\n")
    yard.write(
        "a.pkr.hcl",
        SOURCE.format(image=tiny_image)
        + """
        build {
          sources = ["qemu.tiny"]
          provisioner "shell" { script = "script.sh" }
          provisioner "shell" {
            valid_exit_codes = [7]
            inline           = ["exit 7"]
          }
          provisioner "shell" { inline = ["echo the reason", "exit 3"] }
        }""",
    )
    asked: list[str] = []
    entered: list[bytes] = []

    async def ask(question: Question, work: Work) -> str:
        asked.append(question.way_in)
        line = ["sh", "-c", f"{question.way_in} hostname"]
        ran = await asyncio.to_thread(subprocess.run, line, capture_output=True, stdin=subprocess.DEVNULL)
        entered.append(ran.stdout + ran.stderr)
        script.write_text("echo mended\n")
        return "retry" if len(asked) == 1 else "clean"

    with pytest.raises(ProvisionError) as caught:
        await yard.build(request=Request(on_error="ask"), ask=ask)
    assert "the reason" in caught.value.problem.tail
    assert entered[0] == b"tiny\n", f"how the machine is reached: {asked[0]}"
    assert len(asked) == 2 and b"mended" in yard.work.output
    assert await yard.left() == []
    assert alive(tmp_path) == []


async def test_cancelled_while_it_boots_nothing_is_left(tiny_image: Path, tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.write("a.pkr.hcl", SOURCE.format(image=tiny_image) + 'build { sources = ["qemu.tiny"] }')
    building = asyncio.create_task(yard.build())
    async with asyncio.timeout(60):
        while yard.work.states.get("Wait for SSH") != "running":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert await yard.left() == []
    assert alive(tmp_path) == []


async def test_an_image_that_is_not_the_right_one_is_refused(tiny_image: Path, tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    text = SOURCE.format(image=tiny_image).replace('"none"', json.dumps("sha256:" + "0" * 64))
    yard.write("a.pkr.hcl", text + 'build { sources = ["qemu.tiny"] }')
    with pytest.raises(BoxwrightError, match="checksum"):
        await yard.build()
    assert await yard.left() == []


_TYPED = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007cfcfbbf0090b400cd163c0d7403aaebf5b80103b90100ba8000bb0090cd13ba0406b80020eff4ebfd"
)
"""Boots from a CD, takes keys by the BIOS until Enter, writes them to the disk's first sector, powers off."""


async def _something_shown(sockets: list[str], building: asyncio.Task[object]) -> Picture:
    """The screen, once it is not of one colour."""
    while not building.done():
        await asyncio.sleep(0.05)
        if sockets and sockets[-1]:
            with contextlib.suppress(BoxwrightError):
                picture = await picture_of(Path(sockets[-1]))
                if len(set(picture.pixels[0::4])) > 1:
                    return picture
    raise AssertionError("it never showed anything")


async def test_a_boot_command_is_typed_into_what_an_iso_boots_and_its_screen_is_seen(tmp_path: Path) -> None:
    """The CD is in a drive of its own kind, which the firmware boots from all the same."""
    yard = Yard(tmp_path)
    yard.write("www/answers", "yes")
    (yard.folder / "cd").mkdir()
    (yard.folder / "cd/boot.img").write_bytes(_TYPED.ljust(2048, b"\0"))
    options = ["-b", "boot.img", "-no-emul-boot", "-boot-load-size", "4"]
    make = ["xorriso", "-as", "mkisofs", "-quiet", "-o", "boot.iso", *options, "cd"]
    subprocess.run(make, cwd=yard.folder, check=True, capture_output=True)
    yard.write(
        "a.pkr.hcl",
        """
        source "qemu" "typed" {
          iso_url           = "boot.iso"
          iso_checksum      = "none"
          communicator      = "none"
          disk_size         = "1M"
          format            = "raw"
          cdrom_interface   = "virtio-scsi"
          boot_wait         = "3s"
          boot_key_interval = "30ms"
          boot_command = [
            "Hello <wait1>it's {{ .Name }}, ",
            "http://{{ .HTTPIP }}:{{ .HTTPPort }}/<enter>",
          ]
          http_directory    = "www"
          cd_content        = { "user-data" = "x: y" }
          floppy_files      = ["www/answers"]
        }
        build { sources = ["qemu.typed"] }
        """,
    )
    sockets: list[str] = []
    building = asyncio.create_task(yard.build(show=lambda source, socket: sockets.append(socket)))
    picture = await _something_shown(sockets, building)
    await building
    assert sockets[-1] == "", "it is told that the screen is gone"
    assert picture.png()[16:24] == struct.pack(">II", picture.width, picture.height)
    typed = (yard.folder / "output-typed/packer-typed").read_bytes()[:512].rstrip(b"\0").decode()
    assert typed.startswith("Hello it's packer-typed, http://10.0.2.2:")
    assert await yard.left() == []


@pytest.mark.parametrize("interface", INTERFACES)
async def test_disks_and_cds_are_joined_in_each_way_that_qemu_has(interface: str, tmp_path: Path) -> None:
    """Started, but not let run: what QEMU made of them is all that counts."""
    work = RecordingWork()
    disks = [tmp_path / "one.qcow2", tmp_path / "two.qcow2"]
    for disk in disks:
        await empty(disk, 1 << 20, work)
    cd = tmp_path / "a, b.iso"
    cd.write_bytes(bytes(4096))
    chosen = acceleration.choose("tcg", "x86_64", acceleration.this_host())
    hardware = Hardware(
        emulator=tools.emulator("x86_64"),
        name="joined",
        machine="pc",
        accelerator=chosen.argument,
        cpu=chosen.cpu,
        cpus=1,
        memory=32,
        disk_interface=interface,
        cd_interface=interface,
        media=Media(iso=str(cd), cd=str(cd)),
    )
    runtime = Path(tempfile.mkdtemp(prefix="bwj"))
    try:
        sockets = Sockets(monitor=runtime / "qmp", screen=runtime / "vnc")
        argv = command_line(hardware, disks, tmp_path / "ram", sockets, tmp_path / "serial.log")
        emulator = await Emulator.start([*argv, "-S"], sockets.monitor, tmp_path / "qemu.log")
        try:
            told = await emulator.monitor.execute("query-block")
        finally:
            await emulator.quit()
    finally:
        shutil.rmtree(runtime)
    inserted = [one["inserted"] for one in told if "inserted" in one and one.get("qdev")]
    assert [one["file"] for one in inserted if not one["ro"]] == [str(disk) for disk in disks]
    assert [one["file"] for one in inserted if one["ro"]] == [str(cd)] * 2
