"""Faults as a user meets them: the exit code, what is said, and that the remedy which is named works."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.checkup import NOT_USABLE
from tests.boxes.server import Server
from tests.end_to_end.workshop import Workshop, read_until, until

pytestmark = pytest.mark.real

PROJECT = """
[machines.web]
box = "tiny"
memory = "160MiB"
[[machines.web.provision]]
name = "long line"
run = "never"
shell = "head -c 10000000 /dev/zero | tr '\\\\0' x; echo; printf 'no \\\\377\\\\376 text\\\\n'; exit 4"
[machines.silent]
box = "tiny"
memory = "160MiB"
autostart = false
boot_timeout = 4
ssh = { guest_port = 2222 }
"""


@pytest.fixture(scope="module")
def shop(folder: Path, tiny_box: Path) -> Iterator[Workshop]:
    shop = Workshop(folder)
    shop.describe(PROJECT)
    shop.run("box", "add", str(tiny_box), "--name", "tiny")
    shop.run("up")
    yield shop
    shop.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", place], check=True)
    yield place
    # An engine that has said goodbye may still be there for a moment.
    until(lambda: subprocess.run(["umount", place], check=False).returncode == 0, "umount", 10)


def resize(place: Path, megabytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", place], check=True)


def room(place: Path, megabytes: int) -> None:
    """Leave so much free, whatever is there."""
    used = subprocess.run(["du", "-sm", place], capture_output=True, text=True, check=True).stdout
    resize(place, int(used.split()[0]) + megabytes)


def remedy(said: str) -> str:
    """The command or advice after the last "To mend it:", which is of the whole."""
    found = re.findall(r"To mend it: (.*)", said)
    assert found, said
    return str(found[-1])


@pytest.fixture
def cramped(small: Path, tmp_path: Path) -> Iterator[Workshop]:
    """A project whose home lies on the small file system."""
    shop = Workshop(tmp_path, home=small / "home")
    yield shop
    shop.close()


def test_a_full_disk_at_every_step_of_a_machines_life(small: Path, cramped: Workshop, tiny_box: Path) -> None:
    shop = cramped
    shop.describe('[machines.web]\nbox = "tiny"\nmemory = "160MiB"\n')
    with Server() as server:
        url = server.put("/tiny.box", tiny_box.read_bytes())
        said = shop.run("box", "add", url, "--name", "tiny", code=1).err
        assert re.search(r"At least \d+ MB are needed", said), said
        assert "What was downloaded is kept" in said
        resize(small, 400)
        asked = len(server.asked)
        shop.run("box", "add", url, "--name", "tiny")
        assert all("Range" in each.headers for each in server.asked[asked:])
    shop.run("up")
    shop.inside("echo kept | sudo tee /run/kept")
    for words in (("snapshot", "save", "one"), ("suspend",)):
        room(small, 4)
        said = shop.run(*words, code=5).err
        assert "disk is full" in said and "runs on" in said
        assert "space" in remedy(said)
        resize(small, 400)
        assert shop.state() == "running", words
        assert shop.inside("cat /run/kept") == "kept", words
    assert shop.json("snapshot", "list")["snapshots"] == []
    shop.run("snapshot", "save", "one")
    shop.run("suspend")
    shop.run("resume")
    assert shop.inside("cat /run/kept") == "kept"
    room(small, 0)
    shop.run("destroy", "--yes")
    shop.run("box", "remove", "tiny", "--yes")
    assert int(subprocess.run(["du", "-sm", small], capture_output=True, check=True).stdout.split()[0]) < 12


def test_a_guest_that_never_answers_is_kept_and_told(shop: Workshop) -> None:
    said = shop.run("up", "silent", code=1).err
    assert "within 4 s" in said and "boot_timeout" in said
    assert shop.state("silent") == "running"
    assert "within 4 s" in shop.run("up", "silent", code=1).err
    until(lambda: "this console" in shop.run("serial", "silent", "--log").out, "its serial console")
    shop.run("destroy", "silent", "--yes")


def test_a_guest_that_has_another_host_key_is_refused_until_it_is_forgotten(shop: Workshop) -> None:
    shop.inside(
        "sudo sh -c 'rm /etc/dropbear/*; old=$(cat /run/dropbear.pid); kill $old;"
        " while kill -0 $old; do sleep 0.1; done 2>/dev/null; /etc/init.d/ssh'"
    )
    shop.run("suspend")
    said = shop.run("resume", code=1).err
    assert "host key has changed" in said
    assert shop.state() == "running"
    refused = shop.run("ssh", "-c", "true", code=255).err
    assert "HOST IDENTIFICATION HAS CHANGED" in refused
    found = re.search(r"forget the old key .*: (rm .*known_hosts)$", remedy(said))
    assert found, said
    subprocess.run(["sh", "-c", found[1]], check=True)
    shop.run("up")
    assert shop.inside("id -un") == "vagrant"


def test_a_guest_that_refuses_the_key_is_told_with_the_account(shop: Workshop) -> None:
    shop.run("snapshot", "save", "good")
    shop.inside("rm ~/.ssh/authorized_keys")
    shop.run("suspend")
    said = shop.run("resume", code=1).err
    assert "refuses the login of 'vagrant'" in said
    assert shop.machine()["endpoint"]["identity"] in said
    assert "ssh.identity" in remedy(said)
    shop.run("snapshot", "restore", "good", "--yes")
    assert shop.inside("id -un") == "vagrant"


def test_a_line_of_ten_megabytes_and_bytes_that_are_no_text(shop: Workshop) -> None:
    done = shop.run("provision", "--only", "long line", code=1)
    assert "exit status 4" in done.err and "no \ufffd\ufffd text" in done.err
    assert len(done.err) < 5000
    assert "no \ufffd\ufffd text" in done.out
    log = shop.run("logs", "web").out
    assert "no \ufffd\ufffd text" in log
    (operation,) = shop.json("ops", "--limit", "1")["operations"]
    assert operation["log_size"] >= 10_000_000


def test_a_hanging_provisioner_is_ended_by_its_timeout(shop: Workshop) -> None:
    shop.describe(
        PROJECT + '[[machines.web.provision]]\nname = "x"\nshell = "echo began; sleep 99"\ntimeout = 2\n'
    )
    with shop.begun("provision", "--only", "x") as process:
        said = read_until(process, "boxwright logs")
        assert process.wait(30) == 1
    assert "longer than 2 s" in said and "began" in said
    shop.describe(PROJECT)


def test_without_qemu_everybody_says_the_same(tmp_path: Path, tiny_box: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("env", "sh", "ssh"):
        (programs / name).symlink_to(Path("/usr/bin") / name)
    shop = Workshop(tmp_path)
    shop.environment["PATH"] = str(programs)
    shop.describe('[machines.web]\nbox = "tiny"\n')
    shop.run("box", "add", str(tiny_box), "--name", "tiny")
    said = shop.run("up", code=5).err
    assert "qemu-system-x86_64" in said
    command = remedy(said)
    doctor = shop.run("doctor", code=5)
    assert command in doctor.out + doctor.err
    findings = shop.json("doctor", code=5)["findings"]
    providers = {one["name"]: one for one in findings if one["topic"] == "Providers"}
    assert set(providers) == {"docker", "libvirt", "lxc", "lxd", "qemu", "virtualbox"}
    assert all(one["why"] and one["remedy"] for one in providers.values() if one["text"] == NOT_USABLE)
    assert (shop.state(), list((shop.home / "machines").iterdir())) == ("not created", [])
    shop.close()
