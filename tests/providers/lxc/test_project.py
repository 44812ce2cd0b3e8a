"""The sample with two machines that talk to each other, by the installed program, in libvirt's containers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.providers.libvirt.address import URI_VARIABLE
from tests.end_to_end.test_shop import SAMPLE, stock
from tests.end_to_end.workshop import Workshop
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real


def test_two_machines_and_a_copy_run_in_containers_of_libvirts(daemon: Libvirtd, short_folder: Path) -> None:
    shop = Workshop(short_folder)
    shop.environment[URI_VARIABLE] = daemon.uri
    shutil.copytree(SAMPLE, shop.project, dirs_exist_ok=True)
    file = shop.project / "boxwright.toml"
    file.write_text(file.read_text().replace('provider = "qemu"', 'provider = "lxc"'))
    try:
        shop.run("up")
        assert shop.machine("web")["provider"] == "lxc"
        assert "17 lanterns" in stock(shop, "web")
        shop.run("clone", "web")
        assert shop.inside("hostname", "web-2") == "web-2"
        shop.run("halt", "web")
        assert shop.state("web") == "stopped"
        shop.run("reload", "db")
        assert shop.inside("id -un", "db") == "root"
        shop.run("destroy", "--yes")
        assert shop.state("web") == "not created"
    finally:
        shop.close()
