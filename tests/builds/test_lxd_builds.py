"""The source "lxd": containers that are provisioned for real, at a daemon of the tests' own."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import zstandard

from core.builds.base import Request
from core.builds.layers import LayerStore
from core.builds.project_builds import run_build
from core.builds.run import prune
from core.builds.undo import remove_kept
from core.errors import BoxwrightError, ConfigError, ProviderError, UsageError
from core.projects.reader import load
from core.provisioners.base import ProvisionError
from tests.builds.contract import Bench, SourceContract
from tests.builds.yard import Yard
from tests.support.lxd import Lxd, running, write_rootfs

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def lxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lxd]:
    """With one image, "tiny"."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "metadata.yaml").write_text("architecture: x86_64\ncreation_date: 1\n")
    rootfs = write_rootfs(folder / "rootfs.tar.gz")
    with running() as made:
        with tarfile.open(folder / "metadata.tar", "w") as archive:
            archive.add(folder / "metadata.yaml", "metadata.yaml")
        made.lxc("image", "import", str(folder / "metadata.tar"), str(rootfs), "--alias", "tiny")
        yield made


@pytest.fixture
async def yard(boxwright_home: Path, lxd: Lxd, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Yard]:
    """Layers of the test are pruned at its end: then the daemon has what it had."""
    monkeypatch.setenv(lxd.variable, str(lxd.folder))
    before = await lxd.aside.objects()
    made = Yard(boxwright_home)
    yield made
    assert await made.left() == []
    await prune(LayerStore(made.locations.layers), made.work, 0)
    assert await lxd.aside.objects() == before


def template(steps: str, ending: str = "skip_publish = true") -> str:
    return f"""
        source "lxd" "site" {{
          image = "tiny"
          {ending}
        }}
        build {{
          sources = ["lxd.site"]
          {steps}
        }}"""


def shell(*lines: str) -> str:
    return f'provisioner "shell" {{ inline = {json.dumps(lines)} }}\n'


def steps(yard: Yard) -> list[str]:
    return [state for name, state in yard.work.states.items() if name.startswith("Provision")]


async def said(lxd: Lxd, image: str, command: str) -> str:
    """What a command says in a new container of the image."""
    await lxd.aside.lxc("launch", image, "look")
    try:
        return await lxd.aside.run("look", "sh", "-c", command)
    finally:
        await lxd.aside.lxc("delete", "--force", "look")


async def test_a_container_is_provisioned_and_becomes_an_image(yard: Yard, lxd: Lxd) -> None:
    yard.write("page.txt", "a page")
    yard.write(
        "a.pkr.hcl",
        template(
            shell("echo here > /made", "id -un")
            + 'provisioner "file" {\n source = "page.txt"\n destination = "/srv/page.txt"\n}',
            """
            output_image       = "made-site"
            container_name     = "making"
            init_sleep         = "0"
            launch_config      = { "limits.memory" = "100MB" }
            publish_properties = { description = "made by a test" }
            """,
        ),
    )
    (made,) = await yard.build()
    (artifact,) = made.artifacts
    (image,) = [
        one for one in await lxd.aside.query("/1.0/images?recursion=1") if one["fingerprint"] == artifact.id
    ]
    assert [alias["name"] for alias in image["aliases"]] == ["made-site"]
    assert image["properties"]["description"] == "made by a test" and not image["public"]
    assert await said(lxd, "made-site", "cat /made /srv/page.txt") == "here\na page"
    assert not await lxd.aside.query("/1.0/instances")
    await yard.build()
    assert yard.work.states["lxd.site"] == "cached"
    yard.write("page.txt", "another")
    with pytest.raises(UsageError, match="made-site is there already"):
        await yard.build()
    await yard.build(request=Request(force=True))
    assert steps(yard) == ["cached", "done"]
    assert await said(lxd, "made-site", "cat /srv/page.txt") == "another"
    assert f"/1.0/images/{artifact.id}" not in (await lxd.aside.objects())["images"], (
        "nobody asks for it again"
    )
    await lxd.aside.lxc("image", "delete", "made-site")


async def test_a_changed_step_begins_where_it_stands(yard: Yard, lxd: Lxd) -> None:
    async def build(*words: str, request: Request | None = None) -> None:
        inlines = "".join(shell(f"echo {word} >> /words", "cat /words") for word in words)
        yard.write("a.pkr.hcl", template(inlines))
        await yard.build(request=request)

    await build("a", "b", "c")
    layers = LayerStore(yard.locations.layers)
    assert len(layers.list()) == 4 and all(layer.size > 0 for layer in layers.list())
    await build("a", "b", "d")
    assert steps(yard) == ["cached", "cached", "done"]
    assert yard.work.output.decode().split("Kept")[0].split() == ["a", "b", "d"]
    for image in await lxd.aside.query("/1.0/images?recursion=1"):
        if not image["aliases"]:
            await lxd.aside.lxc("image", "delete", image["fingerprint"])
    await build("a", "b", "e")
    assert steps(yard) == ["done"] * 3, "somebody else has removed the states"
    await build("a", "b", "e", request=Request(no_cache=True))
    assert steps(yard) == ["done"] * 3


async def test_the_image_becomes_a_box_that_machines_start_from(yard: Yard, lxd: Lxd) -> None:
    ending = """
        post-processor "vagrant" {
          output = "site.box"
        }
        post-processor "box" {
          version = "7"
        }"""
    yard.write("a.pkr.hcl", template(shell("echo here > /made", "ln /made /twice"), 'output_image = "s"'))
    text = (yard.folder / "a.pkr.hcl").read_text()
    yard.write("a.pkr.hcl", text.rstrip().removesuffix("}") + ending + "}")
    (made,) = await yard.build()
    assert made.artifacts[-1].facts["keys"] == "yard/site 7 (lxd, amd64)"
    with tarfile.open(yard.folder / "site.box") as packed:
        assert sorted(packed.getnames()) == ["Vagrantfile", "metadata.json", "rootfs.tar.zst"]
        head = json.load(packed.extractfile("metadata.json") or io.BytesIO())
    assert head == {"provider": "lxd", "boxwright": {"user": "root", "architecture": "amd64"}}
    aliases = await lxd.aside.query("/1.0/images/aliases")
    assert aliases == ["/1.0/images/aliases/tiny"], "the image itself was the box's input"
    (box,) = yard.store.list()
    archive = Path(box.files["rootfs.tar.zst"])
    with (
        zstandard.ZstdDecompressor().stream_reader(archive.open("rb")) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        found = {entry.name: entry for entry in tar}
    assert found["./made"].size == 5 or found["./twice"].size == 5
    links = {entry.linkname for entry in found.values() if entry.islnk()}
    assert links & {"./made", "./twice"}
    assert found["./bin/busybox"].mode & 0o111


async def test_a_build_of_the_project_file_leaves_a_box_and_no_image(yard: Yard, lxd: Lxd) -> None:
    yard.write(
        "boxwright.toml",
        '[project]\nname = "yard"\n[builds.site.source.lxd]\nimage = "tiny"\n'
        '[[builds.site.provision]]\nshell = "echo here > /made"\n',
    )
    box = await run_build(
        project=load(yard.folder), name="site", locations=yard.locations, store=yard.store, work=yard.work
    )
    assert (box.name, box.key.provider, box.user) == ("yard/site", "lxd", "root")
    unnamed = [image for image in await lxd.aside.query("/1.0/images?recursion=1") if not image["aliases"]]
    assert len(unnamed) == len(LayerStore(yard.locations.layers).list()), "only states are kept"


async def test_a_container_from_packages(yard: Yard, lxd: Lxd) -> None:
    """Without an image of anybody's; what was made on the way goes with the layers."""
    made = template(shell("cat /etc/hostname")).replace(
        'image = "tiny"', 'bootstrap = { suite = "bookworm", flavour = "tiny" }'
    )
    yard.write("a.pkr.hcl", made)
    await yard.build()
    assert b"boxwright-build-" in yard.work.output
    yard.write("a.pkr.hcl", made.replace("cat", "ls"))
    await yard.build()
    assert yard.work.states["Continue from the last unchanged step"] == "done"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('image = "tiny"\n bootstrap = { flavour = "tiny" }', "one of"),
        ('image = "tiny"\n virtual_machine = true', "virtual_machine = true is not supported"),
        ('image = "tiny"\n communicator = "ssh"', 'not reached by "ssh"'),
        ('image = "tiny"\n init_sleep = "soon"', '"init_sleep" is'),
    ],
)
async def test_what_cannot_work_is_said_before_anything_begins(
    yard: Yard, settings: str, message: str
) -> None:
    yard.write("a.pkr.hcl", template("").replace('image = "tiny"', settings))
    with pytest.raises(ConfigError, match=message):
        await yard.build()
    assert not yard.work.intents


async def test_an_image_that_is_nowhere(yard: Yard) -> None:
    yard.write("a.pkr.hcl", template("").replace('"tiny"', '"nowhere"'))
    with pytest.raises(ProviderError, match="no image 'nowhere'"):
        await yard.build()


async def test_a_name_that_somebody_else_has_is_left_alone(yard: Yard, lxd: Lxd) -> None:
    await lxd.aside.lxc("init", "tiny", "theirs")
    yard.write("a.pkr.hcl", template("", 'container_name = "theirs"\n skip_publish = true'))
    with pytest.raises(BoxwrightError, match="theirs"):
        await yard.build()
    await yard.left()
    assert await lxd.aside.query("/1.0/instances") == ["/1.0/instances/theirs"]
    await lxd.aside.lxc("delete", "theirs")


async def test_a_failed_step_leaves_the_container_where_that_is_asked_for(yard: Yard, lxd: Lxd) -> None:
    yard.write("a.pkr.hcl", template(shell("false")))
    with pytest.raises(ProvisionError):
        await yard.build()
    assert await yard.left() == []
    assert not await lxd.aside.query("/1.0/instances")
    with pytest.raises(BoxwrightError) as caught:
        await yard.build(request=Request(on_error="abort"))
    assert "lxc exec boxwright-build-" in str(caught.value.problem.remedy)
    assert len(await lxd.aside.query("/1.0/instances")) == 1
    assert await remove_kept(yard.locations.builds) == 1
    assert not await lxd.aside.query("/1.0/instances")


class LxdBench(Bench):
    steps = ("Start the container", "Provision 2/2  shell", "Stop the container", "Publish the image")
    points = range(3, 1000, 8)
    promises = frozenset({"build.lxd-container", "build.lxd-image"})

    def __init__(self, yard: Yard, lxd: Lxd) -> None:
        super().__init__(yard)
        self._lxd = lxd

    def describe(self, step: str = "") -> None:
        lines = shell("echo one") + shell("sleep 0.2")
        self.yard.write("a.pkr.hcl", template(lines, 'output_image = "made"'))

    async def outside(self) -> object:
        return await self._lxd.aside.objects()

    async def runs(self) -> bool:
        return bool(await self._lxd.aside.query("/1.0/instances"))

    async def discard(self) -> None:
        await self._lxd.aside.lxc("image", "delete", "made")


class TestLxd(SourceContract):
    @pytest.fixture
    def bench(self, yard: Yard, lxd: Lxd) -> Bench:
        return LxdBench(yard, lxd)
