"""The sources of VirtualBox, on a real one whose guests cannot run: up to its own error, and the export."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.builds.artifact import Artifact
from core.builds.layers import LayerStore
from core.builds.post_processors.box import BoxPostProcessor
from core.builds.post_processors.vagrant import VagrantPostProcessor
from core.builds.run import prune
from core.builds.scene import Scene
from core.builds.sources.virtualbox import OvfSource
from core.errors import ConfigError, NotFoundError, ProviderError
from core.providers.virtualbox.provider import VirtualBoxProvider
from core.templates.functions.signature import Place
from tests.builds.kills import undone
from tests.builds.test_killed import killed_at, left
from tests.builds.yard import Yard
from tests.providers.virtualbox.conftest import box, virtualbox
from tests.support.virtualbox import VirtualBox
from tests.support.work import RecordingWork

__all__ = ["box", "virtualbox"]

pytestmark = pytest.mark.real

HCL = """
source "{kind}" "site" {{
  communicator = "none"
  shutdown_timeout = "1s"
  {more}
}}
build {{ sources = ["{kind}.site"] }}
"""


@pytest.fixture
async def yard(
    virtualbox: VirtualBox, boxwright_home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Yard]:
    for name, value in virtualbox.environment.items():
        monkeypatch.setenv(name, value)
    before = virtualbox.listing()
    provider = VirtualBoxProvider()
    yield Yard(boxwright_home, provider.undo)
    await provider.close()
    assert virtualbox.listing() == before, "something of ours is still there"


def write(yard: Yard, kind: str, more: str) -> None:
    yard.write("a.pkr.hcl", HCL.format(kind=kind, more=more))


async def test_a_machine_is_imported_and_changed_up_to_virtualboxs_own_error(yard: Yard, box: Path) -> None:
    write(
        yard,
        "virtualbox-ovf",
        f'source_path = "{box / "box.ovf"}"\nvboxmanage = [["modifyvm", "{{{{.Name}}}}", "--vram", "32"]]',
    )
    with pytest.raises(ProviderError, match="cannot start the machine packer-site") as caught:
        await yard.build()
    assert "/dev/vboxdrv is not there" in caught.value.problem.why
    assert "vboxdrv" in caught.value.problem.remedy
    assert await yard.left() == []


async def test_a_machine_is_made_for_a_cd_up_to_virtualboxs_own_error(yard: Yard) -> None:
    yard.write("a.iso", "x" * 65536)
    more = 'iso_url = "a.iso"\niso_checksum = "none"\ndisk_size = 64\nguest_os_type = "Debian_64"'
    write(yard, "virtualbox-iso", more)
    with pytest.raises(ProviderError, match="cannot start the machine packer-site"):
        await yard.build()
    assert await yard.left() == []


async def test_cancelled_or_killed_before_its_start_it_leaves_nothing(
    yard: Yard, virtualbox: VirtualBox, box: Path
) -> None:
    """At spread points up to the start of the guest, which cannot run here."""
    write(yard, "virtualbox-ovf", f'source_path = "{box / "box.ovf"}"')
    before, home = virtualbox.listing(), yard.locations.data.parent
    await yard.cancel_within("Prepare")
    assert await yard.left() == []
    assert virtualbox.listing() == before
    for point in (5, 8, 12, 15):
        (home / "points").unlink(missing_ok=True)
        killed, reached = await killed_at(home, ("tests.builds.killed_container", str(home)), point)
        assert killed
        await undone(yard)
        await prune(LayerStore(yard.locations.layers), yard.work, 0)
        assert virtualbox.listing() == before, reached
        assert left(home) == [], reached
    assert "intend virtualbox.start" in (home / "points").read_text().splitlines()


async def test_a_command_that_virtualbox_refuses_is_named(yard: Yard, box: Path) -> None:
    more = f'source_path = "{box / "box.ovf"}"\nvboxmanage = [["modifyvm", "{{{{.Name}}}}", "--vrm", "3"]]'
    write(yard, "virtualbox-ovf", more)
    with pytest.raises(ProviderError, match="modifyvm"):
        await yard.build()
    assert await yard.left() == []


async def test_the_machine_is_exported_as_packer_calls_it(
    yard: Yard,
    virtualbox: VirtualBox,
    box: Path,
) -> None:
    """As after the steps, which cannot run here."""
    folder = yard.locations.builds / "a"
    folder.mkdir(parents=True)
    scene = Scene(
        locations=yard.locations,
        store=yard.store,
        world=Place(root=str(yard.folder), cwd=str(yard.folder)),
        folder=folder,
        source="site",
        kind="virtualbox-ovf",
    )
    post = [["modifyvm", "{{.Name}}", "--memory", "80"]]
    settings = {"source_path": str(box / "box.ovf"), "communicator": "none", "vboxmanage_post": post}
    work = RecordingWork(yard.undo)
    workshop = OvfSource().workshop(settings, scene)
    machine = await workshop.plan(work)
    Path(machine.folder).mkdir(parents=True)
    assert machine.memory == 64 << 20
    await workshop.provider.create(machine, work)
    workshop.machine = machine
    made = await workshop.deliver(machine, work)
    await workshop.close()
    assert made is not None
    names = [Path(file).name for file in made.files]
    assert len(names) == 2 and names[0].endswith("-disk001.vmdk") and names[1] == "packer-site.ovf"
    text = (yard.folder / "output-site/packer-site.ovf").read_text()
    assert 'id="packer-site"' in text and "<rasd:VirtualQuantity>80</rasd:VirtualQuantity>" in text
    await _becomes_boxes(made, scene, work)
    shutil.rmtree(folder)


async def _becomes_boxes(made: Artifact, scene: Scene, work: RecordingWork) -> None:
    """One of the store, and one that the real Vagrant takes."""
    kept = (await BoxPostProcessor().run(made, {"name": "made/site"}, scene, work)).artifact
    assert kept is not None and kept.facts["keys"] == "made/site 1 (virtualbox, amd64)"
    (box,) = scene.boxes.list()
    assert "box.ovf" in box.files and any(name.endswith(".vmdk") for name in box.files)
    shutil.rmtree(scene.folder / "exported")
    packed = (await VagrantPostProcessor().run(made, {"output": "site.box"}, scene, work)).artifact
    assert packed is not None and packed.id == "virtualbox"
    vagrant = shutil.which("vagrant")
    assert vagrant, "vagrant is not installed"
    words = [vagrant, "box", "add", "--name", "site", packed.files[0]]
    environment = {
        **os.environ,
        "VAGRANT_HOME": str(scene.folder / "vagrant"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
    }
    added = await asyncio.to_thread(
        subprocess.run, words, env=environment, capture_output=True, text=True, timeout=300
    )
    assert added.returncode == 0, added.stderr
    there = scene.folder / "vagrant/boxes/site/0/virtualbox"
    assert "config.vm.base_mac" in (there / "Vagrantfile").read_text()
    assert {"box.ovf", "metadata.json"} <= {path.name for path in there.iterdir()}


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("virtualbox-ovf", "", "source_path"),
        ("virtualbox-iso", "", "iso_url"),
        ("virtualbox-ovf", 'source_path = "x"\nboot_command = ["<enter>"]', "Nothing is typed"),
        ("virtualbox-ovf", 'source_path = "x"\nformat = "zip"', "format"),
        ("virtualbox-ovf", 'source_path = "x"\nguest_additions_mode = "upload"', "guest_additions_mode"),
        ("virtualbox-ovf", 'source_path = "x"\nkeep_registered = true', "keep_registered"),
        ("virtualbox-ovf", 'source_path = "x"\nvboxmanage = [["--vram"]]', "no command of VBoxManage"),
        ("virtualbox-ovf", 'source_pth = "x"', "source_path"),
    ],
)
async def test_settings_that_cannot_be_met_are_named(
    boxwright_home: Path, kind: str, more: str, said: str
) -> None:
    yard = Yard(boxwright_home)
    write(yard, kind, more)
    with pytest.raises(ConfigError) as caught:
        await yard.build()
    assert said in f"{caught.value.problem.what} {caught.value.problem.remedy}"


async def test_an_appliance_that_is_not_there_is_named(boxwright_home: Path) -> None:
    yard = Yard(boxwright_home)
    write(yard, "virtualbox-ovf", 'source_path = "gone.ovf"')
    with pytest.raises(NotFoundError, match=r"gone\.ovf"):
        await yard.build()
