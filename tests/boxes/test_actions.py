"""What the commands on boxes do: catalogues, names, updates, removal, pruning, verification."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from core.boxes import actions
from core.boxes.manifest import blob_path
from core.boxes.store import BoxStore, Linked
from core.errors import BoxwrightError, BusyError, NotFoundError, ProviderError, UsageError
from core.model import command as commands
from core.model.box import Box, BoxKey
from tests.boxes.making import box, qcow2, sound
from tests.boxes.server import Resource, Server
from tests.support.work import RecordingWork

PROVIDERS = ("qemu", "libvirt")


class Desk:
    """The commands, one line each."""

    def __init__(self, store: BoxStore, work: RecordingWork) -> None:
        self.store = store
        self.work = work
        self.linked: Linked = {}

    async def add(self, source: str | Path, **more: Any) -> Box:
        command = commands.AddBox(source=str(source), **{"architecture": "amd64", **more})
        return await actions.add_box(self.store, command, **self._rest())

    async def update(self, *names: str) -> Any:
        return await actions.update_boxes(self.store, commands.UpdateBox(names=names), **self._rest())

    async def outdated(self) -> Any:
        return await actions.outdated_boxes(self.store, commands.OutdatedBoxes(), **self._rest())

    async def remove(self, name: str, **more: Any) -> Any:
        command = commands.RemoveBox(name=name, **more)
        return await actions.remove_boxes(self.store, command, **self._rest())

    async def prune(self, *names: str, dry_run: bool = False) -> Any:
        command = commands.PruneBoxes(names=names, dry_run=dry_run)
        return await actions.prune_boxes(self.store, command, **self._rest())

    async def verify(self, *names: str) -> Any:
        return await actions.verify_boxes(self.store, commands.VerifyBoxes(names=names), **self._rest())

    def _rest(self) -> dict[str, Any]:
        return {"providers": PROVIDERS, "linked": self.linked, "work": self.work}

    @property
    def keys(self) -> list[str]:
        return [str(box.key) for box in self.store.list()]


@pytest.fixture
def desk(store: BoxStore, work: RecordingWork) -> Desk:
    return Desk(store, work)


def catalogue(*versions: str, url: str = "v{}.box", checksums: dict[str, str] | None = None) -> bytes:
    return json.dumps(
        {
            "name": "me/mine",
            "description": "all mine",
            "versions": [
                {
                    "version": version,
                    "providers": [
                        {
                            "name": "libvirt",
                            "url": url.format(version),
                            "architecture": "amd64",
                            "checksum_type": "sha256",
                            "checksum": (checksums or {}).get(version),
                        }
                    ],
                }
                for version in versions
            ],
        }
    ).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue of two versions and their archives."""
    for version in ("1.0", "1.1", "2.0"):
        box(tmp_path / f"v{version}.box", sound(filler=version.encode() * 1000))
    (tmp_path / "mine.json").write_bytes(catalogue("1.0", "1.1"))
    return tmp_path


async def test_a_catalogue_in_a_file(desk: Desk, folder: Path) -> None:
    found = await desk.add(folder / "mine.json")
    assert str(found.key) == "me/mine 1.1 (libvirt, amd64)"
    assert (found.catalogue, found.description) == (str(folder / "mine.json"), "all mine")
    assert found.url == str(folder / "v1.1.box")
    old = await desk.add(f"file://{folder}/mine.json", version="< 1.1")
    assert old.version == "1.0"
    with pytest.raises(NotFoundError, match="no version that satisfies '> 5'"):
        await desk.add(folder / "mine.json", version="> 5")
    with pytest.raises(UsageError, match="is of 'me/mine', not of 'other'"):
        await desk.add(folder / "mine.json", name="other")
    with pytest.raises(NotFoundError, match="no box for virtualbox"):
        await desk.add(folder / "mine.json", provider="virtualbox")


async def test_checksums_of_a_catalogue(desk: Desk, folder: Path) -> None:
    right = hashlib.sha256((folder / "v1.0.box").read_bytes()).hexdigest()
    (folder / "mine.json").write_bytes(catalogue("1.0", "1.1", checksums={"1.0": right, "1.1": right}))
    with pytest.raises(BoxwrightError, match="does not match"):
        await desk.add(folder / "mine.json")
    assert desk.keys == []
    assert (await desk.add(folder / "mine.json", version="1.0")).checksum == f"sha256:{right}"


@pytest.mark.parametrize("prefix", ["", "/api/v2/vagrant"], ids=["short", "api"])
async def test_a_name_at_a_server(
    desk: Desk, folder: Path, server: Server, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(f"{prefix}/me/mine", Resource(catalogue("1.0", "1.1", url="/files/v{}.box")))
    if prefix:
        server.put("/me/mine", Resource(b"<html>a page for people</html>" * 100))
    server.put("/files/v1.1.box", (folder / "v1.1.box").read_bytes())
    monkeypatch.setenv("VAGRANT_SERVER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("BOXWRIGHT_SERVER", server.url)
    found = await desk.add("me/mine")
    assert (found.name, found.version) == ("me/mine", "1.1")
    assert found.catalogue == f"{server.url}{prefix}/me/mine"
    assert server.asked[0].headers["Accept"] == "application/json"
    with pytest.raises(BoxwrightError, match="is in the store already"):
        await desk.add("me/mine", server=server.url)
    monkeypatch.delenv("BOXWRIGHT_SERVER")
    with pytest.raises(BoxwrightError, match="connection to 127"):
        await desk.add("me/mine")


async def test_names_that_nobody_has(desk: Desk, server: Server) -> None:
    with pytest.raises(NotFoundError, match="has no catalogue of me/other"):
        await desk.add("me/other", server=server.url)
    server.put("/me/page", Resource(b"<html></html>", content_type="text/html"))
    with pytest.raises(NotFoundError, match="has no catalogue of me/page"):
        await desk.add("me/page", server=server.url)
    with pytest.raises(UsageError, match="not the address of a server"):
        await desk.add("me/other", server="catalogue.local")


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("/nowhere/x.box", NotFoundError, "There is no file"),
        ("bookworm", NotFoundError, "There is no file"),
        ("/", NotFoundError, "is a folder"),
        ("ftp://h/x.box", UsageError, "cannot be fetched over ftp"),
        ("file://other/x.box", UsageError, "another computer"),
        ("http://", UsageError, "not an address"),
    ],
)
async def test_sources_that_mean_nothing(
    desk: Desk, source: str, kind: type[BoxwrightError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        await desk.add(source)


async def test_a_bare_archive_gets_the_users_name_and_version(desk: Desk, folder: Path) -> None:
    found = await desk.add(folder / "v1.0.box", name="a/b", version="3.1", architecture="")
    assert str(found.key) == "a/b 3.1 (libvirt)"
    beside = await desk.add(folder / ".." / folder.name / "v1.0.box", name="a/c", architecture="")
    assert beside.url == found.url == str(folder / "v1.0.box"), "one file, one address"
    await desk.remove("a/c")
    with pytest.raises(UsageError, match="not a version"):
        await desk.add(folder / "v1.0.box", version=">= 3")
    with pytest.raises(UsageError, match="cannot be the name"):
        await desk.add(folder / "v1.0.box", name="../a")
    with pytest.raises(BoxwrightError, match="already") as caught:
        await desk.add(folder / "v1.0.box", name="a/b", version="3.1", architecture="")
    assert "--force" in caught.value.problem.remedy
    again = await desk.add(folder / "v1.1.box", name="a/b", version="3.1", architecture="", force=True)
    assert desk.store.list() == (again,)
    assert not Path(found.disks[0].path).exists()


async def test_a_replaced_box_stays_where_machines_use_it(desk: Desk, folder: Path) -> None:
    found = await desk.add(folder / "v1.0.box", name="a")
    desk.linked = {found.key: ["shop:web"]}
    await desk.add(folder / "v1.1.box", name="a", force=True)
    assert Path(found.disks[0].path).exists()
    assert (await desk.prune())["removed"] == []
    desk.linked = {}
    assert [each["what"] for each in (await desk.prune())["removed"]] == [f"replaced: {found.key}"]
    assert not Path(found.disks[0].path).exists()


async def test_boxes_for_other_providers(desk: Desk, tmp_path: Path) -> None:
    path = box(tmp_path / "vb.box", {"metadata.json": b'{"provider": "virtualbox"}', "box.ovf": b"<x/>"})
    with pytest.raises(ProviderError, match="for 'virtualbox', not for qemu or libvirt"):
        await desk.add(path)
    found = await desk.add(path, provider="virtualbox", architecture="")
    assert (str(found.key), found.disks) == ("vb 0 (virtualbox)", ())


async def test_an_architecture_that_is_not_the_boxs(desk: Desk, tmp_path: Path) -> None:
    path = box(tmp_path / "arm.box", sound(boxwright={"architecture": "arm64"}))
    with pytest.raises(UsageError, match="for arm64, not for amd64"):
        await desk.add(path)
    assert str((await desk.add(path, architecture="any")).key) == "arm 0 (libvirt, arm64)"


async def test_outdated_and_update(desk: Desk, folder: Path) -> None:
    await desk.add(folder / "mine.json")
    await desk.add(folder / "v1.0.box", name="alone")
    assert await desk.outdated() == []
    (folder / "mine.json").write_bytes(catalogue("1.0", "1.1", "2.0"))
    newer = {"name": "me/mine", "provider": "libvirt", "installed": "1.1", "newest": "2.0"}
    assert await desk.outdated() == [newer]
    result = await desk.update()
    assert result["updated"] == [newer]
    assert result["skipped"] == [{"box": "alone 0 (libvirt, amd64)", "why": "it came from no catalogue"}]
    assert desk.keys[1:] == ["me/mine 2.0 (libvirt, amd64)", "me/mine 1.1 (libvirt, amd64)"]
    assert (await desk.update("me/mine"))["updated"] == []
    with pytest.raises(NotFoundError, match="no box other"):
        await desk.update("other")
    (folder / "mine.json").unlink()
    with pytest.raises(NotFoundError):
        await desk.outdated()


async def test_one_silent_catalogue_does_not_hide_the_others(desk: Desk, folder: Path) -> None:
    await desk.add(folder / "mine.json", version="1.0")
    other = folder / "other.json"
    other.write_bytes(catalogue("1.0").replace(b"me/mine", b"me/other"))
    await desk.add(other)
    other.write_bytes(b"not JSON any more")
    assert [each["name"] for each in await desk.outdated()] == ["me/mine"]
    assert desk.work.states["Ask for me/other"] == "skipped"


async def test_remove(desk: Desk, folder: Path) -> None:
    await desk.add(folder / "mine.json", version="1.0")
    new = await desk.add(folder / "mine.json")
    with pytest.raises(UsageError, match=r"in several versions: 1\.1, 1\.0"):
        await desk.remove("me/mine")
    with pytest.raises(NotFoundError, match="no such version"):
        await desk.remove("me/mine", version="7")
    with pytest.raises(NotFoundError, match="no box you"):
        await desk.remove("you")
    desk.linked = {new.key: ("shop:web", "shop:db")}
    with pytest.raises(BusyError, match="is in use") as caught:
        await desk.remove("me/mine", version="all")
    assert "shop:web, shop:db" in caught.value.problem.why
    assert len(desk.keys) == 2, "a part was removed"
    result = await desk.remove("me/mine", version="1.0")
    assert result["removed"] == ["me/mine 1.0 (libvirt, amd64)"] and result["freed"] > 0
    await desk.remove("me/mine", force=True)
    assert desk.keys == []
    assert not list(desk.store.blobs.glob("*/*"))


async def test_remove_asks_which_provider(desk: Desk, folder: Path, tmp_path: Path) -> None:
    await desk.add(folder / "v1.0.box", name="a")
    vb = box(tmp_path / "vb.box", {"metadata.json": b'{"provider": "virtualbox"}'})
    await desk.add(vb, name="a", provider="virtualbox")
    with pytest.raises(UsageError, match="several providers: libvirt, virtualbox"):
        await desk.remove("a")
    await desk.remove("a", provider="virtualbox")
    assert desk.keys == ["a 0 (libvirt, amd64)"]


async def test_prune(desk: Desk, folder: Path) -> None:
    (folder / "mine.json").write_bytes(catalogue("1.0", "1.1", "2.0"))
    old, middle, new = [await desk.add(folder / "mine.json", version=each) for each in ("1.0", "1.1", "2.0")]
    await desk.add(folder / "v1.0.box", name="same-content")
    (desk.store.downloads / "ab.part").write_bytes(b"x" * 8192)
    desk.linked = {middle.key: ["shop:web"]}
    planned = await desk.prune(dry_run=True)
    assert planned["dry_run"]
    assert [each["what"] for each in planned["removed"]] == [
        f"superseded: {old.key}",
        "an unfinished download",
    ]
    assert planned["removed"][0]["bytes"] == 0, "another box needs all of its content"
    assert planned["freed"] == 8192
    assert len(desk.keys) == 4
    assert await desk.prune(dry_run=True) == planned
    result = await desk.prune()
    assert result == {**planned, "dry_run": False}
    assert [desk.store.get(box.key) is None for box in (old, middle, new)] == [True, False, False]
    assert not list(desk.store.downloads.iterdir())
    assert (await desk.prune())["removed"] == []
    desk.linked = {}
    await desk.remove("same-content")
    before = sum(path.stat().st_blocks * 512 for path in desk.store.blobs.glob("*/*"))
    freed = (await desk.prune("me/mine"))["freed"]
    after = sum(path.stat().st_blocks * 512 for path in desk.store.blobs.glob("*/*"))
    assert freed == before - after > 0


async def test_verify(desk: Desk, folder: Path) -> None:
    good = await desk.add(folder / "v1.0.box", name="good")
    bad = await desk.add(folder / "v1.1.box", name="bad")
    gone = await desk.add(folder / "v2.0.box", name="gone")
    assert [each["box"] for each in (await desk.verify())["verified"]] == [
        str(box.key) for box in (bad, gone, good)
    ]
    disk = Path(bad.disks[0].path)
    disk.chmod(0o644)
    disk.write_bytes(disk.read_bytes()[:-1] + b"!")
    Path(gone.disks[0].path).unlink()
    with pytest.raises(BoxwrightError, match="2 boxes are damaged") as caught:
        await desk.verify()
    assert f"{bad.key}: box.img is not what it was" in caught.value.problem.why
    assert f"{gone.key}: box.img is missing" in caught.value.problem.why
    await desk.verify("good")
    await desk.add(folder / "v1.1.box", name="bad", force=True)
    await desk.add(folder / "v2.0.box", name="gone", force=True)
    await desk.verify()


async def test_a_damaged_record_is_reported_and_mended_by_adding_again(desk: Desk, folder: Path) -> None:
    found = await desk.add(folder / "v1.0.box", name="a")
    desk.store.records.path(found.key).write_text("{")
    assert desk.keys == []
    with pytest.raises(BoxwrightError, match="is damaged") as caught:
        await desk.verify()
    assert "record of a box" in caught.value.problem.why
    await desk.add(folder / "v1.0.box", name="a", force=True)
    await desk.verify()
    assert desk.store.leftovers() == []


async def test_the_store_is_content_addressed(desk: Desk, folder: Path) -> None:
    found = await desk.add(folder / "v1.0.box", name="a")
    digest = hashlib.sha256(qcow2(filler=b"1.0" * 1000)).hexdigest()
    assert found.disks[0].path == str(blob_path(desk.store.blobs, digest))
    assert desk.store.get(BoxKey("a", "0", "libvirt", "x86_64")) == found
