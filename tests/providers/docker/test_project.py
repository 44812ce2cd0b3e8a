"""A project of containers with the installed program: made, entered, provisioned, changed, removed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.workshop import Workshop
from tests.support.dockerd import Dockerd
from tests.support.tiny import free_port

pytestmark = pytest.mark.real

PROJECT = """
[machines.web]
box = {{ image = "tiny:1" }}
provider = "docker"
memory = "64MiB"
hostname = "front"
folders = [{{ host = "site", guest = "/srv/site" }}]
ports = [{{ guest = 80, host = {port} }}]
[machines.web.docker]
environment = {{ GREETING = "{greeting}" }}
volumes = ["./shared:/shared", "data:/data"]
links = ["db:store"]
[[machines.web.provision]]
shell = "echo $0; cat /srv/site/index.html; test -t 0 || echo no terminal"
[[machines.web.provision]]
file = "site/index.html"
to = "/root/copied"

[machines.db]
box = {{ dockerfile = "db" }}
provider = "docker"
memory = "64MiB"
[machines.db.docker]
command = ["sh", "-c", "httpd -h /srv -p 5000; trap 'exit 0' TERM; sleep 3600 & wait"]
volumes = ["data:/data:ro"]
user = "bob"
workdir = "/home"
"""

DOCKERFILE = """FROM tiny:1
ARG WORD=stored
RUN mkdir /srv && echo $WORD > /srv/index.html && chown -R bob /home
COPY kept /kept
"""


@pytest.fixture(scope="module")
def shop(dockerd: Dockerd) -> Iterator[Workshop]:
    """Both machines are up; afterwards Docker has what it had before."""
    before = dockerd.objects()
    with tempfile.TemporaryDirectory() as folder:
        shop = Workshop(Path(folder))
        shop.environment["DOCKER_HOST"] = dockerd.url
        for name, text in {
            "site/index.html": "made here\n",
            "shared/word": "shared\n",
            "db/Dockerfile": DOCKERFILE,
            "db/kept": "kept\n",
            "db/secret": "not for the build\n",
            "db/.dockerignore": "secret\n",
        }.items():
            (shop.project / name).parent.mkdir(exist_ok=True)
            (shop.project / name).write_text(text)
        shop.describe(PROJECT.format(port=free_port(), greeting="hello"))
        try:
            shop.run("up")
            yield shop
        finally:
            shop.close()
    assert dockerd.objects() == before


def test_its_project_is_valid_whatever_other_providers_are_installed(shop: Workshop) -> None:
    shop.run("validate")


def test_both_are_up_and_say_what_they_are(shop: Workshop, dockerd: Dockerd) -> None:
    web = shop.machine("web")
    assert (web["state"], web["provider"]) == ("running", "docker")
    assert web["facts"]["image"] == "tiny:1"
    with dockerd.client() as client:
        container = client.containers.get("boxwright-project-web")
        assert container.labels["boxwright.machine"] == web["id"]
        assert container.attrs["HostConfig"]["Memory"] == 64 << 20


def test_commands_run_by_exec_with_their_status(shop: Workshop) -> None:
    assert shop.inside("echo $GREETING; hostname; cat /shared/word") == "hello\nfront\nshared"
    assert shop.run("ssh", "web", "-c", "echo out; echo err >&2; exit 7", code=7).err.strip() == "err"
    assert shop.inside("id -un; pwd", "db") == "bob\n/home"
    told = shop.json("ssh", "web", "-c", "echo one; exit 3", code=3)
    assert (told["status"], told["stdout"]) == (3, "one\n")


def test_machines_reach_each_other_by_name(shop: Workshop) -> None:
    for name in ("db", "store"):
        assert shop.inside(f"wget -qO- http://{name}:5000/index.html") == "stored"


def test_the_build_leaves_out_what_its_folder_wants_left_out(shop: Workshop) -> None:
    assert shop.inside("cat /kept; ls /secret 2>&1 || true", "db").startswith("kept\nls:")


def test_provisioning_and_folders_go_by_exec(shop: Workshop) -> None:
    assert shop.inside("cat /srv/site/index.html /root/copied") == "made here\nmade here"
    assert "no terminal" in shop.run("provision", "web").err + shop.run("logs").out


def test_volumes_that_have_a_name_are_shared(shop: Workshop) -> None:
    shop.inside("echo more > /data/word")
    assert shop.inside("cat /data/word", "db") == "more"


def test_files_go_both_ways(shop: Workshop) -> None:
    big = os.urandom(3 << 20)
    (shop.project / "big").write_bytes(big)
    shop.run("upload", "big", "/tmp/", "web")
    shop.run("download", "/tmp/big", "back", "web")
    assert (shop.project / "back").read_bytes() == big


def test_what_its_command_says_is_the_serial_log(shop: Workshop) -> None:
    assert "#" in shop.run("serial", "--log", "web").out


def test_a_changed_project_makes_another_container_that_keeps_what_was_in_it(shop: Workshop) -> None:
    shop.inside("echo mine > /root/mine")
    before = shop.machine("web")["ports"]
    shop.describe(PROJECT.format(port=free_port(), greeting="goodbye"))
    shop.run("reload", "web")
    assert shop.inside("cat /root/mine; echo $GREETING") == "mine\ngoodbye"
    assert shop.machine("web")["ports"] != before


def test_snapshots_and_clones(shop: Workshop) -> None:
    shop.run("snapshot", "save", "web", "clean")
    shop.inside("rm /root/mine")
    shop.run("snapshot", "restore", "--yes", "web", "clean")
    assert shop.inside("cat /root/mine") == "mine"
    shop.run("suspend", "web")
    assert shop.state("web") == "suspended"
    shop.run("resume", "web")
    assert shop.inside("cat /root/mine") == "mine"


def test_doctor_knows_docker(shop: Workshop, dockerd: Dockerd) -> None:
    (found,) = [one for one in shop.json("doctor")["findings"] if one["name"] == "docker"]
    assert found["verdict"] == "good", found
    assert dockerd.url in found["why"] + found["text"]
