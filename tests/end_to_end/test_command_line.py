"""A project's life with the installed program: one machine, changed and looked at from outside."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.workshop import Workshop, until

pytestmark = pytest.mark.real

WEB = """
[machines.web]
box = "tiny"
{hardware}
ports = [{{ guest = 80, host = {port}, name = "web" }}]
[[machines.web.provision]]
name = "page"
shell = "mkdir -p /srv; echo made here > /srv/index.html; pidof httpd || httpd -h /srv"
[[machines.web.provision]]
name = "gate"
run = "always"
shell = '''
echo "looking for the gate"
test ! -e /run/closed || exit 9
'''
[[machines.web.provision]]
name = "count"
shell = "echo run >> /root/count"
[machines.one]
box = "tiny"
memory = "160MiB"
autostart = false
[machines.two]
box = "tiny"
memory = "160MiB"
autostart = false
"""


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """A program of the host that listens on the port which the project wants for itself."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture(scope="module")
def shop(folder: Path, tiny_box: Path, listener: socket.socket) -> Iterator[Workshop]:
    """A project whose machine is up."""
    shop = Workshop(folder)
    shop.describe(web(listener))
    shop.run("box", "add", str(tiny_box), "--name", "tiny")
    said = shop.run("up").out
    assert "looking for the gate" in said
    yield shop
    shop.close()


def web(listener: socket.socket, hardware: str = 'memory = "160MiB"') -> str:
    return WEB.format(port=listener.getsockname()[1], hardware=hardware)


def test_an_up_of_what_is_up_does_nothing(shop: Workshop) -> None:
    pid = shop.pid()
    (operation,) = shop.json("up")["operations"]
    assert (operation["state"], operation["detail"]) == ("cached", "running already")
    assert shop.pid() == pid


def test_a_command_in_the_guest_ends_with_its_status(shop: Workshop) -> None:
    done = shop.run("ssh", "-c", "echo out; echo err >&2; exit 7", code=7)
    assert (done.out, done.err) == ("out\n", "err\n")
    document = shop.json("ssh", "-c", "printf 'a\\nb'; exit 3", code=3)
    assert (document["status"], document["stdout"]) == (3, "a\nb")
    assert shop.run("ssh", "--", "-v", code=0).err.count("debug1") > 3


def test_a_moved_port_is_told_and_serves(shop: Workshop, listener: socket.socket) -> None:
    wanted = listener.getsockname()[1]
    (forward,) = [port for port in shop.machine()["ports"] if port["name"] == "web"]
    assert forward["wanted"] == wanted != forward["host"]
    assert shop.run("port", "--guest", "80").out == f"{forward['host']}\n"
    assert str(wanted) in shop.run("port").out
    with urllib.request.urlopen(f"http://127.0.0.1:{forward['host']}/", timeout=60) as page:
        assert page.read() == b"made here\n"


def test_openssh_takes_the_configuration(shop: Workshop) -> None:
    config = shop.project / "ssh.config"
    config.write_text(shop.run("ssh-config", "--host", "any-name").out)
    ran = subprocess.run(
        ["ssh", "-F", config, "any-name", "cat >/tmp/sent; wc -c </tmp/sent"],
        input=bytes(range(256)) * 4000,
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.strip() == b"1024000"


def test_folders_go_there_and_back(shop: Workshop) -> None:
    sent = shop.project / "sent"
    (sent / "deep" / "er").mkdir(parents=True)
    (sent / "deep" / "er" / "name with spaces é").write_bytes(bytes(range(256)) * 1000)
    (sent / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (sent / "run.sh").chmod(0o755)
    (sent / "link").symlink_to("deep/er")
    shop.run("upload", "sent", "web:/tmp/there")
    assert shop.inside("/tmp/there/run.sh") == "ran"
    shop.run("download", "/tmp/there", "back", "web")
    ran = subprocess.run(["diff", "-r", "--no-dereference", sent, shop.project / "back"], check=False)
    assert ran.returncode == 0
    assert (shop.project / "back" / "run.sh").stat().st_mode & 0o777 == 0o755


def runs(shop: Workshop) -> int:
    """How often the provisioner "count" has run."""
    return int(shop.inside("sudo cat /root/count | wc -l"))


def test_one_provisioner_by_its_name(shop: Workshop) -> None:
    before = runs(shop)
    said = shop.run("provision", "--only", "count").out
    assert "not among those named" in said
    assert runs(shop) == before + 1
    unknown = shop.run("provision", "--only", "conut", code=3).err
    assert "conut" in unknown and "page, gate, count" in unknown


def test_a_failing_provisioner_says_how_to_go_on_and_that_works(shop: Workshop) -> None:
    shop.inside("sudo touch /run/closed")
    before = runs(shop)
    done = shop.run("provision", code=1)
    assert "looking for the gate" in done.out
    for expected in (
        'echo "looking for the gate"',
        "exit status 9",
        "looking for the gate",
        "boxwright logs",
    ):
        assert expected in done.err
    remedy = re.search(r"boxwright (provision web --start-at 2)$", done.err, re.MULTILINE)
    assert remedy, done.err
    assert runs(shop) == before
    shop.inside("sudo rm /run/closed")
    said = shop.run(*shlex.split(remedy[1])).out
    assert "comes before number 2" in said
    assert runs(shop) == before + 1


def test_snapshots_bring_memory_and_disk_back(shop: Workshop) -> None:
    shop.inside("echo before | sudo tee /run/memory /root/disk")
    shop.run("snapshot", "save", "clean")
    shop.inside("echo after | sudo tee /run/memory /root/disk; sync")
    shop.run("snapshot", "save", "later")
    points = {point["name"]: point for point in shop.json("snapshot", "list")["snapshots"]}
    assert points["clean"]["size"] > 1 << 20
    assert (points["later"]["parent"], points["later"]["current"]) == ("clean", True)
    shop.run("snapshot", "restore", "clean", "--yes")
    assert shop.inside("sudo cat /run/memory /root/disk").split() == ["before", "before"]
    assert "--yes" in shop.run("snapshot", "delete", "later", code=2).err
    shop.run("snapshot", "delete", "later", "--yes")
    assert [point["name"] for point in shop.json("snapshot", "list")["snapshots"]] == ["clean"]
    missing = shop.run("snapshot", "restore", "claen", "--yes", code=3).err
    assert "clean" in missing
    shop.run("halt", "--force")
    shop.run("snapshot", "restore", "clean", "--yes")
    assert shop.inside("cat /run/memory") == "before"
    shop.run("snapshot", "delete", "clean", "--yes")


def test_a_suspended_machine_goes_on(shop: Workshop) -> None:
    pid = shop.pid()
    shop.inside("echo kept | sudo tee /run/kept")
    shop.run("suspend")
    assert shop.state() == "suspended"
    assert not Path(f"/proc/{pid}/exe").exists()
    refused = shop.run("ssh", "-c", "true", code=1).err
    assert "boxwright resume web" in refused
    shop.run("resume")
    assert shop.inside("cat /run/kept") == "kept"


def test_a_reload_takes_what_the_file_says_now(shop: Workshop, listener: socket.socket) -> None:
    shop.describe(web(listener, 'cpus = 2\nmemory = "224MiB"\ndisks = [{ name = "data", size = "64MiB" }]\n'))
    assert (shop.machine()["cpus"], shop.inside("nproc")) == (1, "1")
    said = shop.run("reload").out
    assert "looking for the gate" in said
    assert "has run before" in said
    machine = shop.machine()
    assert (machine["cpus"], machine["memory"]) == (2, 224 << 20)
    assert shop.inside("nproc") == "2"
    assert 180_000 < int(shop.inside("grep MemTotal /proc/meminfo").split()[1]) < 224 * 1024
    assert shop.inside("cat /sys/block/vdb/size /sys/block/vdb/serial").split() == ["131072", "data"]


def test_two_machines_of_one_box_side_by_side(shop: Workshop) -> None:
    shop.run("halt", "web", "--force")
    one, two = sorted(shop.json("up", "one", "two")["operations"], key=lambda each: str(each["started"]))
    assert two["started"] < one["ended"], "they did not run side by side"
    assert shop.inside("echo one | sudo tee /root/mine", "one") == "one"
    shop.run("ssh", "two", "-c", "sudo test -e /root/mine", code=1)
    keys = {shop.machine(name)["endpoint"]["identity"] for name in ("one", "two")}
    assert len(keys) == 2
    shop.run("destroy", "one", "two", "--yes")


def test_every_answer_is_json_where_that_is_asked_for(shop: Workshop) -> None:
    operation = next(each["id"] for each in shop.json("ops")["operations"] if each["log_size"])
    questions = (
        "status", "global-status", "port", "snapshot list", "box list", "box show tiny", "ops",
        f"ops show {operation}", "engine status", "version", "doctor", "validate", "halt", "up",
        "ssh-config", f"logs {operation}",
    )  # fmt: skip
    for question in questions:
        assert all("error" not in document for document in documents(shop, *question.split())), question
    for mistake, code in (("status nobody", 3), ("up nobody", 3), ("snapshot restore x", 3), ("upp", 2)):
        (document,) = documents(shop, *mistake.split(), code=code)
        assert document["error"]["what"], mistake


def documents(shop: Workshop, *words: str, code: int = 0) -> list[Any]:
    """Every line of the output, which has to be JSON."""
    lines = shop.run(*words, "--json", code=code).out.splitlines()
    assert lines, words
    return [json.loads(line) for line in lines]


def test_a_halted_machine_keeps_its_disk(shop: Workshop) -> None:
    """The last one: an orderly halt, and nothing is left after the end."""
    shop.inside("echo kept | sudo tee /root/kept")
    pid = shop.pid()
    shop.run("halt")
    until(lambda: not Path(f"/proc/{pid}/exe").exists(), "QEMU's end")
    assert shop.state() == "stopped"
    shop.run("up", "--no-provision")
    assert shop.inside("sudo cat /root/kept") == "kept"


def test_a_destroyed_machine_comes_back(shop: Workshop) -> None:
    """The last one: what it was comes back, and nothing is left after the end."""
    shop.inside("echo kept | sudo tee /root/kept; sync")
    pid = shop.pid()
    shop.run("destroy", "--yes")
    assert not Path(f"/proc/{pid}/exe").exists()
    assert shop.state() == "not created"
    assert "destroyed just now: boxwright recover brings it back" in shop.run("status").out
    assert shop.run("destroyed", "list").out.splitlines()[1].startswith("web ")
    shop.run("recover")
    assert shop.state() == "stopped"
    shop.run("up", "--no-provision")
    assert shop.inside("sudo cat /root/kept") == "kept"
    shop.run("destroy", "--yes", "--purge")
    assert (
        shop.run("recover", "web", code=3).err.splitlines()[0].startswith("error: Nothing is left of 'web'")
    )
    assert (shop.state(), list((shop.home / "machines").iterdir())) == ("not created", [])
