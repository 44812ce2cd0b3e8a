"""Images go to a real registry, and come from it, by a password that is seen nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import urllib.error
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.builds.layers import LayerStore
from core.builds.run import prune
from core.errors import BoxwrightError
from tests.builds.yard import Yard
from tests.support.dockerd import Dockerd
from tests.support.registry import Registry, registry

pytestmark = pytest.mark.real

PASSWORD = "p4ss-w0rd of a test"

TEMPLATE = """
variable "password" {
  type      = string
  sensitive = SENSITIVE
}
source "docker" "site" {
  image          = "BASE"
  pull           = PULL
  commit         = true
  login          = true
  login_server   = "SERVER"
  login_username = "ann"
  login_password = var.password
}
build {
  sources = ["docker.site"]
  provisioner "shell" { inline = ["echo made > /made"] }
  post-processors {
    post-processor "docker-tag" {
      repository = "SERVER/team/site"
      tags       = ["1", "2"]
    }
    post-processor "docker-push" {
      login          = true
      login_server   = "SERVER"
      login_username = "ann"
      login_password = var.password
    }
    post-processor "manifest" {}
  }
}
"""


@pytest.fixture(scope="module")
def there() -> Iterator[Registry]:
    folder = Path(tempfile.mkdtemp(prefix="r"))
    with registry(folder, "ann", PASSWORD) as found:
        yield found
    shutil.rmtree(folder)


@pytest.fixture
async def yard(
    boxwright_home: Path, daemon: Dockerd, there: Registry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Yard]:
    monkeypatch.setenv("DOCKER_CONFIG", str(boxwright_home / "docker-config"))
    made = Yard(boxwright_home)
    yield made
    await prune(LayerStore(made.locations.layers), made.work, 0)
    with daemon.client() as client:
        for image in client.images.list():
            for name in image.tags:
                if name.startswith(there.address):
                    client.images.remove(name)


def describe(yard: Yard, there: Registry, *, base: str = "tiny:1", sensitive: bool = True) -> None:
    pull = str("/" in base).lower()
    words = {"BASE": base, "PULL": pull, "SERVER": there.address, "SENSITIVE": str(sensitive).lower()}
    text = TEMPLATE
    for word, meant in words.items():
        text = text.replace(word, meant)
    yard.write("a.pkr.hcl", text)


async def build(yard: Yard, password: str = PASSWORD) -> None:
    """Processes are looked at all the time meanwhile."""
    building = asyncio.create_task(yard.build(variables=[("password", password)]))
    while not building.done():
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                assert password.encode() not in process.read_bytes()
        await asyncio.sleep(0.05)
    await building


def seen(yard: Yard) -> bytes:
    """All that was said, promised and written."""
    home = yard.locations.data.parent
    said = yard.work.output + repr([(one.kind, one.facts) for one in yard.work.intents]).encode()
    said += "".join([*yard.work.notes, *yard.work.states]).encode()
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "a.pkr.hcl"]
    return said + b"".join(path.read_bytes() for path in files)


@pytest.mark.parametrize("sensitive", [True, False])
async def test_what_was_pushed_is_there_and_pushed_again_only_where_it_is_not(
    yard: Yard, there: Registry, sensitive: bool
) -> None:
    describe(yard, there, sensitive=sensitive)
    await build(yard)
    manifest, digest = there.ask("team/site/manifests/1")
    assert there.ask("team/site/manifests/2")[1] == digest
    assert len(manifest["layers"]) == 2
    noted = json.loads((yard.folder / "packer-manifest.json").read_text())["builds"][0]
    assert noted["artifact_id"] == f"{there.address}/team/site:2"
    assert PASSWORD.encode() not in seen(yard)
    assert not (Path(os.environ["DOCKER_CONFIG"])).exists(), "nobody is logged in afterwards"

    await build(yard)
    assert yard.work.states["docker.site"] == "cached"
    there.ask(f"team/site/manifests/{digest}", "DELETE")
    await build(yard)
    assert there.ask("team/site/manifests/1")[1]
    assert PASSWORD.encode() not in seen(yard)


async def test_a_private_image_is_pulled_to_begin_with(yard: Yard, there: Registry, daemon: Dockerd) -> None:
    describe(yard, there)
    await build(yard)
    base = f"{there.address}/team/site:1"
    with daemon.client() as client:
        for tag in ("1", "2"):
            client.images.remove(f"{there.address}/team/site:{tag}")
    describe(yard, there, base=base)
    yard.write("a.pkr.hcl", (yard.folder / "a.pkr.hcl").read_text().replace('team/site"', 'team/more"'))
    await build(yard)
    assert yard.work.states["Pull"] == "done"
    assert there.ask("team/more/manifests/2")[1]


async def test_a_wrong_password_is_said_plainly_and_leaves_nothing(
    yard: Yard, there: Registry, daemon: Dockerd
) -> None:
    describe(yard, there)
    yard.write("a.pkr.hcl", (yard.folder / "a.pkr.hcl").read_text().replace('team/site"', 'team/other"'))
    with pytest.raises(BoxwrightError, match="could not be pushed") as caught:
        await build(yard, "wr0ng-password")
    problem = caught.value.problem
    assert "login" in problem.remedy, problem
    assert b"wr0ng-password" not in seen(yard)
    assert await yard.left() == []
    with pytest.raises(urllib.error.HTTPError):
        there.ask("team/other/manifests/1")
    with daemon.client() as client:
        assert not client.images.list(f"{there.address}/team/other")
