"""The tiny guest is a whole machine: SSH, sudo, console, hot power button, keys of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.builds.guest import host_key, power_button, ssh, until_off
from tests.support.tiny import booted

pytestmark = pytest.mark.real


def test_the_image_is_small_and_stands_alone(tiny_image: Path) -> None:
    said = subprocess.run(
        ["qemu-img", "info", "--output=json", str(tiny_image)], capture_output=True, check=True, timeout=30
    )
    info = json.loads(said.stdout)
    assert info["format"] == "qcow2"
    assert "backing-filename" not in info
    assert tiny_image.stat().st_size < 60_000_000
    subprocess.run(["qemu-img", "check", "-q", str(tiny_image)], check=True, timeout=60)


async def test_it_answers_both_well_known_keys_and_is_root_without_a_password(
    tiny_image: Path, tmp_path: Path
) -> None:
    async with booted(tiny_image, tmp_path) as guest:
        first = await ssh(guest, tmp_path, "id -un", key=0)
        assert (first.status, first.out) == (0, "vagrant\n"), first
        assert (await ssh(guest, tmp_path, "id -un", key=1)).out == "vagrant\n"
        assert (await ssh(guest, tmp_path, "sudo -n id -u")).out == "0\n"
        said = await ssh(guest, tmp_path, "COLOUR=blue sudo -E -H sh -c 'echo $COLOUR $HOME; pwd'")
        assert (said.out, said.err) == ("blue /root\n/home/vagrant\n", "")
        assert (await ssh(guest, tmp_path, "exit 42")).status == 42


async def test_it_has_what_provisioners_and_uploads_need(tiny_image: Path, tmp_path: Path) -> None:
    async with booted(tiny_image, tmp_path) as guest:
        script = """
            set -e
            command -v sh tar gzip install sed awk wget httpd || command -v cp
            ! command -v bash
            mkdir /tmp/a && echo hello > /tmp/a/b && tar -C /tmp -cf - a | tar -tf -
            sudo -n sh -c 'echo other > /etc/hostname && hostname -F /etc/hostname' && hostname
            cat /etc/resolv.conf
            df -m / | tail -1
        """
        said = await ssh(guest, tmp_path, script)
        assert said.status == 0, said
        lines = said.out.splitlines()
        assert "a/b" in lines and "other" in lines
        assert any(line.startswith("nameserver ") for line in lines)
        assert int(lines[-1].split()[1]) > 3500, "the file system is as large as the disk"


async def test_the_power_button_ends_it_in_order_and_what_was_written_is_there_again(
    tiny_image: Path, tmp_path: Path
) -> None:
    async with booted(tiny_image, tmp_path) as guest:
        await ssh(guest, tmp_path, "echo kept > kept; sync")
        before = host_key(guest, tmp_path)
        await power_button(guest)
        await until_off(guest)
    async with booted(tiny_image, tmp_path) as guest:
        assert (await ssh(guest, tmp_path, "cat kept")).out == "kept\n"
        assert host_key(guest, tmp_path) == before, "made once, at the first boot"
        said = await ssh(guest, tmp_path, "sudo -n dmesg")
        assert "recovery complete" not in said.out, "the disk was put in order before the power went"


async def test_two_machines_have_different_host_keys(tiny_image: Path, tmp_path: Path) -> None:
    keys = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        async with booted(tiny_image, folder, memory=128) as guest:
            await ssh(guest, folder, "true")
            keys.append(host_key(guest, folder))
    assert all("ssh-ed25519" in key for key in keys)
    assert keys[0] != keys[1]


async def test_it_reboots_and_survives_a_pulled_plug(tiny_image: Path, tmp_path: Path) -> None:
    async with booted(tiny_image, tmp_path) as guest:
        first = (await ssh(guest, tmp_path, "cat /proc/sys/kernel/random/boot_id")).out
        await ssh(guest, tmp_path, "echo kept > kept; sync; sudo -n reboot")
        second = first
        while second == first:
            second = (await ssh(guest, tmp_path, "cat /proc/sys/kernel/random/boot_id")).out
        assert second
    async with booted(tiny_image, tmp_path) as guest:
        assert (await ssh(guest, tmp_path, "cat kept")).out == "kept\n"
        assert "activate this console" in guest.serial.read_text()
