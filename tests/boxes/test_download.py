"""Downloads survive what servers and networks do, and say what they could not survive."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from core.boxes import http
from core.boxes.add import add
from core.boxes.decompress import DamagedArchive
from core.boxes.download import Download
from core.boxes.http import fetch, visible
from core.boxes.limits import Limits
from core.boxes.store import BoxStore
from core.errors import BoxwrightError, BusyError, NotFoundError
from core.model.box import Box
from core.model.command import AddBox
from tests.boxes.making import box, qcow2, sound
from tests.boxes.server import Resource, Server
from tests.support.waiting import until
from tests.support.work import RecordingWork

FILLER = os.urandom(200_000)


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return box(tmp_path / "made.box", sound(filler=FILLER)).read_bytes()


async def added(store: BoxStore, work: RecordingWork, url: str, **more: Any) -> Box:
    return await add(store, AddBox(source=url, **more), providers=(), work=work)


def partials(store: BoxStore) -> list[int]:
    """Sizes of the downloads that are kept."""
    return [path.stat().st_size for path in store.downloads.glob("*.part")]


def size(path: Path) -> int:
    return path.stat().st_size


def is_whole(found: Box, data: bytes) -> None:
    assert Path(found.disks[0].path).read_bytes() == qcow2(filler=FILLER)
    assert found.checksum == f"sha256:{hashlib.sha256(data).hexdigest()}"


async def test_a_box_from_an_address(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes
) -> None:
    url = server.put("/boxes/deb.box", data)
    found = await added(store, work, f"{url}?token=secret")
    is_whole(found, data)
    assert (found.name, found.url) == ("deb", url)
    assert work.states == {"Resolve": "done", "Download": "done", "Unpack": "done", "Verify": "done"}
    assert (len(data), len(data), "bytes") in work.progresses
    assert not list(store.downloads.iterdir()), "the download was kept"
    told = f"{work.notes}{work.output!r}{(store.records.path(found.key)).read_text()}"
    assert "secret" not in told


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize("etag", ['"one"', 'W/"weak"', ""], ids=["etag", "weak etag", "no etag"])
async def test_cut_at_every_tenth(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, ranges: bool, etag: str
) -> None:
    """Each connection brings another tenth; what arrived is never fetched twice where ranges work."""
    step = len(data) // 10 + 1

    def later(resource: Resource) -> None:
        if not ranges:
            resource.cut_after = (resource.cut_after or 0) + step

    resource = Resource(data, cut_after=step, ranges=ranges, etag=etag, then=later)
    found = await added(store, work, server.put("/deb.box", resource))
    is_whole(found, data)
    assert len(server.asked) >= 9
    ranged = [each.headers for each in server.asked if "Range" in each.headers]
    assert len(ranged) >= 8
    if etag == '"one"':
        assert all(headers["If-Range"] == '"one"' for headers in ranged)
        starts = [headers["Range"] for headers in ranged if ranges]
        assert len(set(starts)) == len(starts)


@pytest.mark.parametrize("tenth", range(1, 10))
async def test_a_later_command_goes_on(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, tenth: int
) -> None:
    cut = len(data) * tenth // 10
    resource = Resource(data, cut_after=cut)

    def hang_up(resource: Resource) -> None:
        resource.cut_after = 0

    resource.then = hang_up
    url = server.put("/deb.box", Resource(data))
    server.put("/deb.box", resource)
    with pytest.raises(BoxwrightError, match="cut again and again") as caught:
        resource.cut_after, resource.then = cut, hang_up
        await Download_only(store, url).run(work)
    assert "are kept" in caught.value.problem.why
    assert "same command again" in caught.value.problem.remedy
    assert partials(store) == [cut]
    server.put("/deb.box", data)
    asked = len(server.asked)
    is_whole(await added(store, work, url), data)
    assert [each.headers.get("Range") for each in server.asked[asked:]] == [f"bytes={cut}-"]
    assert partials(store) == []


class Download_only:
    """The download without what follows, its file open as long as it runs."""

    def __init__(self, store: BoxStore, url: str, limits: Limits | None = None) -> None:
        self.download = Download(store.downloads, url, limits=limits or Limits(), checked=False)

    async def run(self, work: RecordingWork) -> None:
        self.download.partial.open()
        try:
            await self.download.run(work)
        finally:
            self.download.partial.close(keep=True)


async def test_a_file_that_changed_meanwhile_is_fetched_anew(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, tmp_path: Path
) -> None:
    other = box(tmp_path / "other.box", sound(filler=b"other" * 50_000)).read_bytes()

    def replace(resource: Resource) -> None:
        resource.data, resource.etag, resource.cut_after = other, '"two"', None

    url = server.put("/deb.box", Resource(data, cut_after=len(data) // 2, then=replace))
    await Download_only(store, url).run(work)
    assert [path.read_bytes() for path in store.downloads.glob("*.part")] == [other]


async def test_unpacking_begins_anew_with_a_changed_file(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, tmp_path: Path
) -> None:
    """The first half was unpacked already when the server turns out to have another file."""
    changed = data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]
    resource = Resource(changed, cut_after=len(changed) // 2, etag="", ranges=False)
    url = server.put("/deb.box", resource)

    def mend(resource: Resource) -> None:
        if len(server.asked) >= 2:
            resource.data, resource.cut_after = data, None

    resource.then = mend
    is_whole(await added(store, work, url), data)


@pytest.mark.parametrize("etag", ['"one"', ""])
async def test_a_complete_download_is_not_fetched_again(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, etag: str
) -> None:
    url = server.put("/deb.box", Resource(data, etag=etag))
    await Download_only(store, url).run(work)
    assert partials(store) == [len(data)]
    is_whole(await added(store, work, url), data)
    assert "Range" in server.asked[-1].headers


async def test_a_partial_file_that_is_not_the_servers_is_dropped(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes
) -> None:
    url = server.put("/deb.box", Resource(data, etag=""))
    download = Download_only(store, url).download
    download.partial.open()
    download.partial.append(os.urandom(len(data) + 7))
    download.partial.describe("", None)
    download.partial.close(keep=True)
    is_whole(await added(store, work, url), data)


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
async def test_wrong_lengths(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, ranges: bool
) -> None:
    url = server.put("/deb.box", Resource(data, declared=len(data) + 1000, ranges=ranges))
    with pytest.raises(BoxwrightError, match="cut again and again") as caught:
        await added(store, work, url)
    assert "closed connection" in caught.value.problem.why or "different answers" in caught.value.problem.why
    assert store.list() == ()


async def test_a_length_that_nobody_says(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes
) -> None:
    is_whole(await added(store, work, server.put("/deb.box", Resource(data, chunked=True))), data)


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, NotFoundError, "There is nothing at"),
        (410, NotFoundError, "There is nothing at"),
        (401, BoxwrightError, "does not give out"),
        (418, BoxwrightError, "answers 418"),
        (500, BoxwrightError, "has a problem"),
    ],
)
async def test_answers_that_bring_nothing(
    store: BoxStore, work: RecordingWork, server: Server, status: int, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        await added(store, work, server.put("/deb.box", Resource(b"no", status=status)))
    assert isinstance(caught.value, BoxwrightError) and caught.value.problem.remedy
    assert partials(store) == []


async def test_a_web_page_instead_of_a_box(store: BoxStore, work: RecordingWork, server: Server) -> None:
    page = Resource(b"<!DOCTYPE html>" + b"<p>Sign in</p>" * 1000, content_type="text/html")
    with pytest.raises(DamagedArchive, match="not a box") as caught:
        await added(store, work, server.put("/deb.box", page))
    assert "web page" in caught.value.problem.why
    assert partials(store) == []


async def test_an_endless_body_that_is_no_archive(
    store: BoxStore, work: RecordingWork, server: Server
) -> None:
    with pytest.raises(DamagedArchive, match="not a box"):
        await added(store, work, server.put("/deb.box", Resource(endless=b"nothing here ")))
    assert partials(store) == []


async def test_an_endless_archive(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXWRIGHT_BOX_LIMIT", "4MiB")
    url = server.put("/deb.box", Resource(endless=b"\0"))
    with pytest.raises(BoxwrightError, match="too large"):
        await Download_only(store, url, Limits(unpacked=4 << 20)).run(work)
    assert partials(store)[0] <= 4 << 20


async def test_an_endless_catalogue(server: Server) -> None:
    url = server.put("/c.json", Resource(endless=b'{"name": "x",'))
    with pytest.raises(BoxwrightError, match="does not end"):
        await fetch(url, limit=1 << 20)


async def test_nobody_listens(store: BoxStore, work: RecordingWork) -> None:
    with pytest.raises(BoxwrightError, match=r"connection to 127\.0\.0\.1 failed") as caught:
        await added(store, work, "http://127.0.0.1:1/deb.box")
    assert "network" in caught.value.problem.remedy


async def test_redirects(store: BoxStore, work: RecordingWork, server: Server, data: bytes) -> None:
    server.put("/real.box", data)
    is_whole(await added(store, work, server.put("/deb.box", Resource(redirect="/real.box"))), data)
    with pytest.raises(BoxwrightError, match="without end"):
        await added(store, work, server.put("/circle", Resource(redirect="/circle")))


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha384", "sha512"])
async def test_checksums(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, kind: str
) -> None:
    url = server.put("/deb.box", data)
    wrong = hashlib.new(kind, b"something else").hexdigest()
    with pytest.raises(BoxwrightError, match=r"checksum of .* does not match"):
        await added(store, work, url, checksum=f"{kind}:{wrong}")
    assert store.list() == () and partials(store) == []
    right = hashlib.new(kind, data).hexdigest()
    is_whole(await added(store, work, url, checksum=f"{kind}:{right}"), data)


async def test_a_zip_waits_until_it_is_complete(store: BoxStore, work: RecordingWork, server: Server) -> None:
    from tests.boxes.making import metadata, zipped

    data = zipped({"metadata.json": metadata(), "box.img": qcow2(filler=FILLER)})
    is_whole(await added(store, work, server.put("/deb.zip", Resource(data, cut_after=50_000))), data)


async def test_unpacking_happens_while_data_arrives(
    store: BoxStore, work: RecordingWork, server: Server
) -> None:
    """The server holds back the second half: the first half's disk is on its way into the staging folder."""
    from tests.boxes.making import metadata, tar

    half = os.urandom(4 << 20)
    disks = [{"path": "a"}, {"path": "b"}]
    files = {"metadata.json": metadata(disks=disks), "a": qcow2(filler=half), "b": qcow2(filler=half[::-1])}
    archive = tar(files)
    gate = threading.Event()
    url = server.put("/deb.box", archive)
    server.put("/deb.box", Resource(archive, cut_after=len(archive) // 2 + 4096, gate=gate))

    download = asyncio.create_task(added(store, work, url))
    async with asyncio.timeout(15):
        await until(lambda: any(size(path) >= 4 << 20 for path in store.staging.glob("*/content/1")))
    assert not download.done()
    gate.set()
    found = await download
    assert Path(found.disks[1].path).read_bytes() == qcow2(filler=half[::-1])


async def test_cancelling_leaves_only_the_download(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes
) -> None:
    gate = threading.Event()
    url = server.put("/deb.box", Resource(data, cut_after=len(data) // 2, gate=gate))
    task = asyncio.create_task(added(store, work, url))
    async with asyncio.timeout(15):
        await until(lambda: any(partials(store)))
    assert not task.done()
    with pytest.raises(BusyError, match="being downloaded already"):
        await added(store, work, url)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    assert partials(store)[0] > 0
    assert not list(store.staging.iterdir())
    server.put("/deb.box", data)
    is_whole(await added(store, work, url), data)


async def test_proxies_of_the_environment(
    store: BoxStore, work: RecordingWork, server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is asked with the whole address: the name in it is never looked up here."""
    server.put("http://boxes.invalid/deb.box", data)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    is_whole(await added(store, work, "http://boxes.invalid/deb.box"), data)
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    with pytest.raises(BoxwrightError, match="network settings"):
        await added(store, work, "http://boxes.invalid/deb.box")


async def test_an_encrypted_way_must_not_become_an_open_one(store: BoxStore) -> None:
    import httpx

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://b/deb.box"})
        return httpx.Response(200, content=b"x")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), follow_redirects=True) as session:
        download = Download(store.downloads, "https://a/deb.box", limits=Limits(), checked=False)
        async with http.request(session, download.url, {}) as response:
            with pytest.raises(BoxwrightError, match="without encryption"):
                download._check_way(response)


def test_addresses_are_shown_without_secrets() -> None:
    assert visible("https://me:secret@h:8080/a?sig=secret#x") == "https://h:8080/a"
