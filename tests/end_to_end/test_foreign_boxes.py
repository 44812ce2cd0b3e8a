"""Boxes go both ways: those of the real Packer and the real Vagrant run here, and Vagrant takes ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.guests.keys import insecure_keys
from tests.end_to_end.workshop import Workshop

pytestmark = pytest.mark.real


def template(image: Path, key: Path, target: Path) -> dict[str, object]:
    """Packer boots the image, leaves a mark in the guest and makes a box of what it has then."""
    builder = {
        "type": "qemu",
        "vm_name": "packed.qcow2",
        "iso_url": str(image),
        "iso_checksum": "none",
        "disk_image": True,
        "disk_size": "5G",
        "format": "qcow2",
        "accelerator": "tcg",
        "machine_type": "q35",
        "memory": 160,
        "headless": True,
        "net_device": "virtio-net",
        "disk_interface": "virtio",
        "output_directory": str(target.parent / "output"),
        "ssh_username": "vagrant",
        "ssh_private_key_file": str(key),
        "ssh_timeout": "4m",
        "boot_wait": "1s",
        "shutdown_command": "echo by Packer | sudo tee /etc/packed; sudo poweroff",
        "qemuargs": [["-cpu", "max"]],
    }
    vagrant = {"type": "vagrant", "output": str(target), "compression_level": 1}
    return {"builders": [builder], "post-processors": [vagrant]}


def tool(folder: Path, *words: str, timeout: float = 240) -> str:
    """A program of HashiCorp's, with its own files below ``folder``."""
    program = shutil.which(words[0])
    if not program:
        pytest.skip(f"{words[0]} is not installed")
    own = {
        "PACKER_CACHE_DIR": str(folder / "packer"),
        "PACKER_CONFIG_DIR": str(folder / "packer"),
        "VAGRANT_HOME": str(folder / "vagrant"),
        "CHECKPOINT_DISABLE": "1",
        "VAGRANT_CHECKPOINT_DISABLE": "1",
    }
    ran = subprocess.run(
        [program, *words[1:]],
        cwd=folder,
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ran.returncode == 0, f"{words}:\n{ran.stdout}"
    return ran.stdout


@pytest.fixture(scope="module")
def packed(tiny_image: Path, folder: Path) -> Path:
    """A box that the real Packer has made."""
    key = next(path for path in insecure_keys(folder / "keys") if "rsa" in path.name)
    target = folder / "packed.box"
    (folder / "template.json").write_text(json.dumps(template(tiny_image, key, target)))
    tool(folder, "packer", "build", "-color=false", "template.json")
    return target


@pytest.fixture(scope="module")
def made_here(tiny_image: Path, folder: Path, shop: Workshop) -> Path:
    """A box that Boxwright has made from the same template."""
    key = next(path for path in insecure_keys(folder / "keys") if "rsa" in path.name)
    target = shop.project / "made.box"
    (shop.project / "template.json").write_text(json.dumps(template(tiny_image, key, target)))
    shop.run("build", "template.json")
    return target


@pytest.fixture(scope="module")
def repacked(packed: Path, folder: Path) -> Path:
    """A box that the real Vagrant has unpacked, kept and packed again."""
    tool(folder, "vagrant", "box", "add", "--name", "someone/packed", str(packed))
    tool(folder, "vagrant", "box", "repackage", "someone/packed", "libvirt", "0")
    return folder / "package.box"


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[Workshop]:
    shop = Workshop(folder)
    yield shop
    shop.close()


@pytest.mark.parametrize("maker", ["packed", "repacked"], ids=["by Packer", "by Vagrant"])
def test_a_box_made_elsewhere_runs_here(shop: Workshop, maker: str, request: pytest.FixtureRequest) -> None:
    box: Path = request.getfixturevalue(maker)
    shop.describe(f'[machines.web]\nbox = "elsewhere/{maker}"\nmemory = "160MiB"\n')
    shop.run("box", "add", str(box), "--name", f"elsewhere/{maker}")
    shop.run("up")
    assert shop.inside("cat /etc/packed") == "by Packer"
    assert shop.machine()["box"] == f"elsewhere/{maker}"
    shop.run("destroy", "--yes", "--purge")
    assert shop.state() == "not created"
    assert list((shop.home / "machines").iterdir()) == []


def test_packer_and_we_make_the_same_box_of_a_template(packed: Path, made_here: Path) -> None:
    described = []
    for box in (packed, made_here):
        with tarfile.open(box) as archive:
            files = {Path(member.name).name: member for member in archive}
            file = archive.extractfile(files["metadata.json"])
            assert file is not None and "box.img" in files
            described.append(json.load(file))
    theirs, ours = described
    assert {key: ours[key] for key in theirs} == theirs


@pytest.mark.slow
def test_a_box_of_ours_comes_up_under_vagrant(made_here: Path, folder: Path) -> None:
    program = [sys.executable, "-m", "tests.end_to_end.under_vagrant"]
    words = [str(folder / "under-vagrant"), str(made_here), "cat /etc/packed"]
    ran = subprocess.run([*program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=600)
    assert (ran.returncode, ran.stdout.strip()) == (0, b"by Packer"), "what the template leaves in the guest"


def test_vagrant_takes_a_box_of_ours(tiny_box: Path, folder: Path) -> None:
    tool(folder, "vagrant", "box", "add", "--name", "ours/tiny", str(tiny_box))
    listed = [" ".join(line.split()) for line in tool(folder, "vagrant", "box", "list").splitlines()]
    assert "ours/tiny (libvirt, 0)" in listed
    kept = folder / "vagrant" / "boxes" / "ours-VAGRANTSLASH-tiny" / "0" / "libvirt"
    assert json.loads((kept / "metadata.json").read_text())["format"] == "qcow2"
    tool(folder, "qemu-img", "compare", str(kept / "box.img"), str(image_in(tiny_box, folder)))


def test_all_boxes_of_a_vagrant_are_imported(shop: Workshop, repacked: Path, folder: Path) -> None:
    (operation,) = shop.json("box", "import", str(folder / "vagrant"))["operations"]
    assert "someone/packed 0 (libvirt)" in operation["result"]["imported"]
    assert shop.json("box", "show", "someone/packed")


def image_in(box: Path, folder: Path) -> Path:
    """The disk image of a box, unpacked by tar."""
    (folder / "unpacked").mkdir()
    subprocess.run(["tar", "-xf", box, "-C", folder / "unpacked", "box.img"], check=True)
    return folder / "unpacked" / "box.img"
