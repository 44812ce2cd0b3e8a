"""The source "libvirt": machines of a real libvirtd that are provisioned, and volumes that come of them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from core.builds.asking import Question
from core.builds.base import Request
from core.builds.undo import remove_kept
from core.errors import BoxwrightError, ConfigError, NotFoundError, UsageError
from core.model.work import Work
from core.providers.libvirt import LibvirtProvider, volumes
from core.providers.libvirt.address import URI_VARIABLE
from tests.builds.contract import Bench, SourceContract
from tests.builds.yard import Yard
from tests.providers.libvirt.conftest import running
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

HCL = """
source "libvirt" "site" {{
  memory       = 192
  ssh_username = "vagrant"
  volume {{
    alias  = "artifact"
    name   = "{name}"
    source {{
      {source}
    }}
  }}
  {more}
}}
build {{
  sources = ["libvirt.site"]
  {steps}
}}
"""


UNSEEN = 'communicator = "none"\nshutdown_timeout = "1s"'
"""A machine in which nothing is done: it is not waited for."""


HARDWARE = """
  chipset          = "q35"
  shutdown_command = "sync; sudo poweroff"
  network_interface { model = "virtio" }
  volume {
    alias      = "data"
    capacity   = "16M"
    bus        = "virtio"
    target_dev = "vdq"
  }
  volume {
    device = "cdrom"
    source {
      type      = "cloud-init"
      user_data = "#cloud-config"
      meta_data = "instance-id: site-1"
    }
  }
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Libvirtd]:
    yield from running("session")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="l"))
    yield folder
    shutil.rmtree(folder)


class Pool:
    """The storage pool ``default``."""

    def __init__(self, daemon: Libvirtd, folder: Path) -> None:
        self.handle = libvirt.open(daemon.uri)
        volumes.needed_pool(self.handle, "default", str(folder))
        self.pool = self.handle.storagePoolLookupByName("default")

    def names(self) -> list[str]:
        self.pool.refresh()
        return sorted(self.pool.listVolumes())

    def domains(self) -> list[str]:
        return [domain.name() for domain in self.handle.listAllDomains()]

    def close(self) -> None:
        for volume in self.pool.listAllVolumes():
            volume.delete()
        self.pool.destroy()
        self.pool.undefine()
        self.handle.close()


@pytest.fixture
def pool(daemon: Libvirtd, short_folder: Path) -> Iterator[Pool]:
    """After the test no machine is left."""
    made = Pool(daemon, short_folder / "pool")
    yield made
    domains = made.domains()
    made.close()
    assert domains == []


@pytest.fixture
def yard(daemon: Libvirtd, boxwright_home: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    monkeypatch.setenv(URI_VARIABLE, daemon.uri)
    return Yard(boxwright_home, LibvirtProvider().undo)


def template(source: str, steps: str = "", *, name: str = "made.qcow2", more: str = "") -> str:
    return HCL.format(source=source, steps=steps, name=name, more=more)


def external(image: Path) -> str:
    return f'type = "external"\nurls = ["{image}"]'


def shell(line: str) -> str:
    return f'provisioner "shell" {{ inline = {json.dumps([line])} }}\n'


async def test_an_image_becomes_a_volume_and_the_volume_another_one_and_a_box(
    yard: Yard, pool: Pool, tiny_image: Path
) -> None:
    yard.write("a.pkr.hcl", template(external(tiny_image), shell("echo one | sudo tee /srv/first; sync")))
    (first,) = await yard.build()
    assert pool.names() == ["made.qcow2"] and pool.domains() == []
    assert first.artifacts[0].text == "volume made.qcow2 in the storage pool default"
    with pytest.raises(UsageError, match=r"made\.qcow2 is there already"):
        await yard.build()
    assert await yard.left() == []

    steps = (
        shell("cat /srv/first /sys/block/vdb/size")
        + shell("cat /sys/class/dmi/id/product_name")
        + """
      post-processor "box" {
        name                = "yard/site"
        keep_input_artifact = true
      }"""
    )
    cloning = 'type = "cloning"\nvolume = "made.qcow2"'
    yard.write("a.pkr.hcl", template(cloning, steps, name="second.qcow2", more=HARDWARE))
    seen: list[tuple[ET.Element, bytes]] = []

    async def look(question: Question, work: Work) -> str:
        (domain,) = [ET.fromstring(one.XMLDesc()) for one in pool.handle.listAllDomains()]
        (disc,) = [one.find("source") for one in domain.iter("disk") if one.get("device") == "cdrom"]
        assert disc is not None
        seen.append((domain, Path(disc.get("file", "")).read_bytes()))
        return "continue"

    await yard.build(request=Request(debug=True), ask=look)
    said = yard.work.output.decode().split()
    assert {"one", "32768", "(Q35"} <= set(said)
    domain, disc = seen[0]
    assert b"#cloud-config" in disc and b"instance-id: site-1" in disc
    targets = [(one.get("dev"), one.get("bus")) for one in domain.iter("target") if one.get("bus")]
    assert ("vdq", "virtio") in targets and ("vda", "virtio") in targets
    assert pool.names() == ["made.qcow2", "second.qcow2"]
    box = next(box for box in yard.store.list() if box.name == "yard/site")
    assert box.key.provider == "qemu" and len(box.disks) == 1
    assert await yard.left() == []


async def test_a_machine_of_which_a_step_failed_can_be_kept_and_goes_later(
    yard: Yard, pool: Pool, tiny_image: Path
) -> None:
    yard.write("a.pkr.hcl", template(external(tiny_image), shell("exit 3")))
    with pytest.raises(BoxwrightError, match="exit status 3"):
        await yard.build(request=Request(on_error="abort"))
    await yard.work.undo()
    assert len(pool.domains()) == 1
    assert await remove_kept(yard.locations.builds) == 1
    assert pool.domains() == [] and pool.names() == []
    assert await yard.left() == []


@pytest.fixture
def rooted(short_folder: Path, boxwright_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    """Root's own libvirt."""
    daemons = running("system")
    daemon = next(daemons)
    pool = Pool(daemon, short_folder / "pool")
    monkeypatch.setenv(URI_VARIABLE, daemon.uri)
    yield Yard(boxwright_home, LibvirtProvider().undo)
    assert pool.handle.listAllNetworks() == [] and pool.domains() == []
    pool.close()
    daemons.close()


async def test_a_machine_has_a_card_with_its_address_in_a_network_that_goes_with_it(
    rooted: Yard, tiny_image: Path
) -> None:
    name = f"bw{secrets.token_hex(3)}"
    card = f'network_interface {{\n network = "{name}"\n mac = "52:54:00:0b:0c:0d"\n model = "e1000"\n}}\n'
    step = 'provisioner "shell-local" { inline = ["true"] }'
    rooted.write("a.pkr.hcl", template(external(tiny_image), step, more=card + UNSEEN))
    seen = []

    async def look(question: Question, work: Work) -> str:
        handle = libvirt.open(os.environ[URI_VARIABLE])
        (domain,) = handle.listAllDomains()
        cards = ET.fromstring(domain.XMLDesc()).findall("devices/interface")
        told = [(one.find(part) for part in ("source", "mac", "model")) for one in cards]
        seen.append([tuple(part.attrib if part is not None else {} for part in one) for one in told])
        assert handle.networkLookupByName(name).isActive()
        handle.close()
        return "continue"

    await rooted.build(request=Request(debug=True), ask=look)
    source, mac, model = seen[0][1]
    assert (source["network"], mac["address"], model["type"]) == (name, "52:54:00:0b:0c:0d", "e1000")
    assert await rooted.left() == []


class LibvirtBench(Bench):
    remembers = False
    steps = ("Make the machine", "Wait for SSH", "Store the volume")
    points = range(7, 1000, 8)
    promises = frozenset({"libvirt.domain", "build.libvirt-volume"})

    def __init__(self, yard: Yard, pool: Pool, image: Path) -> None:
        super().__init__(yard)
        self._pool = pool
        self._image = image

    def describe(self, step: str = "") -> None:
        more = "" if step == "Wait for SSH" else UNSEEN
        self.yard.write("a.pkr.hcl", template(external(self._image), more=more))

    async def outside(self) -> object:
        return self._pool.domains(), self._pool.names()

    async def runs(self) -> bool:
        return bool(self._pool.domains())

    async def discard(self) -> None:
        assert self._pool.names() == ["made.qcow2"]
        self._pool.pool.storageVolLookupByName("made.qcow2").delete()


class TestLibvirt(SourceContract):
    @pytest.fixture
    def bench(self, yard: Yard, pool: Pool, tiny_image: Path) -> Bench:
        return LibvirtBench(yard, pool, tiny_image)


@pytest.mark.parametrize(
    ("source", "more", "said"),
    [
        ('type = "files"', "", "cannot come of"),
        ('type = "external"', "", 'needs "urls"'),
        ('type = "cloning"', "", 'needs "volume"'),
        ('type = "cloning"\nvolume = "x"', 'boot_command = ["<enter>"]', "cannot type a boot_command"),
        ('type = "cloning"\nvolume = "x"', 'network_interface { mac = "52:54:00:01:02:03" }', "needs its"),
        ('type = "cloning"\nvolume = "x"', 'shutdown_mode = "pull"', "shutdown_mode"),
        ('type = "cloning"\nvolume = "x"', 'network_interface { type = "bridge" }', "bridge"),
        ('type = "cloning"\nvolume = "x"', 'volume { bus = "virtio" }', "capacity"),
        ('type = "cloning"\nvolumes = "x"', "", "volumes"),
        ('type = "cloning"\nvolume = "x"', 'libvirt_uri = "qemu+ssh://far/system"', "far, another computer"),
    ],
)
async def test_settings_that_cannot_be_met_are_named(yard: Yard, source: str, more: str, said: str) -> None:
    yard.write("a.pkr.hcl", template(source, more=more))
    with pytest.raises(ConfigError, match=said):
        await yard.build()


async def test_a_volume_that_is_not_there_is_named(yard: Yard, pool: Pool) -> None:
    yard.write("a.pkr.hcl", template('type = "cloning"\nvolume = "gone"'))
    with pytest.raises(NotFoundError, match="no volume gone"):
        await yard.build()
    assert await yard.left() == []
