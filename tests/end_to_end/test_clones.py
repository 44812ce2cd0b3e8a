"""Copies of a running machine of a project with a private network, on real QEMU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.workshop import Workshop

pytestmark = pytest.mark.real

SHOP = """
[machines.web]
box = "tiny"
memory = "128MiB"
hostname = "web.shop"
networks = [{ name = "back" }]
ports = [{ guest = 80, host = 28080 }]
[[machines.web.provision]]
shell = "echo provisioned > /srv/mark"
[machines.db]
box = "tiny"
memory = "128MiB"
networks = [{ name = "back", address = "10.213.200.20" }]
"""

IDENTITY = (
    "for key in /etc/dropbear/*_key; do dropbearkey -y -f $key | grep AAAA; done; "
    "cat /home/vagrant/.ssh/authorized_keys"
)


@pytest.fixture(scope="module")
def shop(folder: Path, tiny_box: Path) -> Iterator[Workshop]:
    shop = Workshop(folder)
    shop.describe(SHOP)
    shop.run("box", "add", str(tiny_box), "--name", "tiny")
    shop.run("up")
    yield shop
    shop.close()


def test_machines_of_a_network_reach_each_other_by_their_names(shop: Workshop) -> None:
    assert "10.213.200.20" in shop.inside("sudo ping -c 1 db")
    assert "1 packets received" in shop.inside("sudo ping -c 1 web", "db")


def test_a_copy_of_a_running_machine_is_a_machine_of_its_own(shop: Workshop) -> None:
    before = set(shop.inside(f"sudo sh -c '{IDENTITY}'").splitlines())
    assert len(before) == 3
    shop.inside("echo not yet on the disk | sudo tee /srv/late")
    assert shop.run("clone", "web", "--count", "2").out.splitlines()[-1] == "web-2 and web-3"
    seen = [before]
    for name, port in (("web-2", 28081), ("web-3", 28082)):
        machine = shop.machine(name)
        assert machine["state"] == "running"
        assert [forward["host"] for forward in machine["ports"] if forward["guest"] == 80] == [port]
        assert shop.inside("hostname; cat /srv/mark /srv/late", name).split("\n") == [
            name,
            "provisioned",
            "not yet on the disk",
        ]
        own = set(shop.inside(f"sudo sh -c '{IDENTITY}'", name).splitlines())
        assert len(own) == 3
        assert not any(own & other for other in seen)
        seen.append(own)
        pinned = (shop.home / "machines" / machine["id"] / "known_hosts").read_text().split()[2]
        assert any(pinned in line for line in own)
    assert "1 packets received" in shop.inside("sudo ping -c 1 web-3", "web-2")
    assert "1 packets received" in shop.inside("sudo ping -c 1 web-2", "db"), "those that were there know it"


def test_copies_live_without_their_source(shop: Workshop) -> None:
    shop.run("destroy", "--yes", "web", "web-3")
    shop.run("reload", "web-2")
    assert shop.inside("cat /srv/late", "web-2") == "not yet on the disk"
    assert "1 packets received" in shop.inside("sudo ping -c 1 db", "web-2")
    assert shop.run("clone", "web-2").out.splitlines()[-1] == "web-2-2"
    assert shop.inside("hostname", "web-2-2") == "web-2-2"
