"""The sample with two machines that talk to each other: the same on every provider, by one word."""

from __future__ import annotations

import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from core.providers.libvirt.address import URI_VARIABLE
from tests.end_to_end.workshop import Workshop
from tests.support import lxd
from tests.support.dockerd import Dockerd
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

SAMPLE = Path(__file__).resolve().parents[2] / "sample_projects" / "shop"


MACHINE_ID = "0123456789abcdef0123456789abcdef"

IDENTITY = """cat /etc/machine-id; echo
ip -o link show | sed -n 's,.*link/ether \\([0-9a-f:]*\\).*,\\1,p'
ip -o -4 addr show scope global | awk '{print $4}' | grep -v '^10.0.2.15'
sudo -n dropbearkey -y -f /etc/dropbear/dropbear_ed25519_host_key 2>/dev/null | grep -o 'AAAA.*' || true"""
"""What says which guest it is. QEMU's user network gives each the same address, behind a card of its own."""


@contextmanager
def serving(daemon: Dockerd | Libvirtd) -> Iterator[None]:
    try:
        daemon.start()
        yield
    finally:
        daemon.stop()


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    """The sample in a home of its own, whose engine knows daemons of these tests' own."""
    folder = Path(tempfile.mkdtemp(prefix="sh"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        places = [folder / name for name in ("docker", "libvirt")]
        for place in places:
            place.mkdir()
        docker = Dockerd(places[0])
        libvirt = Libvirtd("session", places[1])
        stack.enter_context(serving(docker))
        stack.enter_context(serving(libvirt))
        containers = stack.enter_context(lxd.running())
        shop = Workshop(folder)
        shop.environment |= {
            "DOCKER_HOST": docker.url,
            URI_VARIABLE: libvirt.uri,
            "LXD_DIR": str(containers.folder),
        }
        shutil.copytree(SAMPLE, shop.project, dirs_exist_ok=True)
        stack.callback(shop.close)
        yield shop


def stock(shop: Workshop, name: str) -> str:
    """What the page of a machine says, asked from the host."""
    port = next(port["host"] for port in shop.machine(name)["ports"] if port["guest"] == 80)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/cgi-bin/stock", timeout=60) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("provider", ["qemu", "libvirt", "docker", "lxd"])
def test_two_machines_and_a_copy_run_on_each_provider_by_one_word(shop: Workshop, provider: str) -> None:
    file = shop.project / "boxwright.toml"
    file.write_text((SAMPLE / file.name).read_text().replace('provider = "qemu"', f'provider = "{provider}"'))
    shop.run("up")
    assert shop.machine("web")["provider"] == provider
    assert shop.inside("hostname", "db") == "db"
    shop.run("provision", "db", "--only", "server")
    assert "17 lanterns" in stock(shop, "web")
    shop.inside(f"echo {MACHINE_ID} >/tmp/id; sudo cp /tmp/id /etc/machine-id || cp /tmp/id /etc/machine-id")
    shop.run("clone", "web")
    assert shop.inside("hostname", "web-2") == "web-2"
    first, copy = (set(shop.inside(IDENTITY, name).split()) for name in ("web", "web-2"))
    assert MACHINE_ID in first and len(first) == len(copy) >= 3, "its id, and an address of each kind"
    assert not first & copy
    shop.run("provision", "web-2", "--only", "server")
    assert "4 rowing boats" in stock(shop, "web-2")
    shop.run("destroy", "--yes")
    assert shop.state("web") == "not created"


def test_the_same_build_makes_the_box_of_virtualbox(shop: Workshop) -> None:
    file = shop.project / "boxwright.toml"
    file.write_text((SAMPLE / file.name).read_text())
    shop.run("build", "shop")
    boxes = shop.json("box", "list")["boxes"]
    assert {box["box"]["key"]["provider"] for box in boxes} == {"qemu", "docker", "lxd", "virtualbox"}
