"""The sample project of a Debian web server, from its build to its end: systemd, OpenSSH, nginx."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.workshop import Workshop

SAMPLE = Path(__file__).resolve().parents[2] / "sample_projects" / "debian"

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[Workshop]:
    shop = Workshop(folder)
    shutil.copytree(SAMPLE, shop.project, dirs_exist_ok=True)
    yield shop
    shop.close()


def test_a_debian_web_server(shop: Workshop) -> None:
    """One long life: the build and each start of the system cost most of a minute without acceleration."""
    said = shop.run("up").out
    assert "no version in what nginx says of itself" in said, "the build's own provisioner did not run"
    assert shop.inside("hostname; systemctl is-system-running").split() == ["web", "running"]

    port = shop.run("port", "--guest", "80").out.strip()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
        assert page.headers["Server"] == "nginx"
        assert b"It works." in page.read()

    shop.inside("sudo sh -c 'echo kept > /run/kept; echo kept > /root/kept'")
    shop.run("suspend")
    assert shop.state() == "suspended"
    shop.run("resume")
    assert shop.inside("cat /run/kept") == "kept"

    halted = shop.json("halt")["operations"][0]
    assert halted["ended"] - halted["started"] < 55, "the power button did nothing"
    said = shop.run("up").out
    assert "has run before" in said
    assert shop.inside("sudo cat /root/kept; systemctl --failed --no-legend") == "kept"
    assert "shutdown" in shop.inside("last -x"), "the system did not come to its end in order"

    shop.run("destroy", "--yes", "--purge")
    assert (shop.state(), list((shop.home / "machines").iterdir())) == ("not created", [])
