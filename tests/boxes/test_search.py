"""Looking for boxes, in the store and on a server on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.boxes import actions
from core.boxes.store import BoxStore
from core.errors import BoxwrightError, NotFoundError
from core.model.command import AddBox, SearchBoxes
from tests.boxes.making import sound, tar
from tests.boxes.server import Resource, Server
from tests.support.work import RecordingWork

FOUND = {
    "boxes": [
        {
            "tag": "debian/bookworm64",
            "short_description": "Debian 12\n",
            "downloads": 12,
            "current_version": {
                "version": "12.1",
                "providers": [{"name": "libvirt"}, {"name": "virtualbox"}, {"name": "libvirt"}],
            },
        },
        {"tag": "me/bookshelf", "short_description": None, "downloads": None, "current_version": None},
    ]
}


async def look(store: BoxStore, work: RecordingWork, text: str, server: str) -> list[dict[str, object]]:
    command = SearchBoxes(text=text, server=server)
    return await actions.search_boxes(store, command, providers=("qemu", "libvirt"), linked={}, work=work)


async def add(store: BoxStore, work: RecordingWork, folder: Path, name: str) -> None:
    (folder / "some.box").write_bytes(tar(sound()))
    command = AddBox(source=str(folder / "some.box"), name=name, version="1.0")
    await actions.add_box(store, command, providers=("qemu", "libvirt"), linked={}, work=work)


async def test_the_store_comes_first_and_a_box_that_is_here_is_not_listed_twice(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    await add(store, work, tmp_path, "me/bookshelf")
    with Server() as server:
        server.resources["/api/v2/search"] = Resource(json.dumps(FOUND).encode())
        found = await look(store, work, "book", server.url)
        assert server.asked[0].path.startswith("/api/v2/search?q=book&")
    assert [(entry["name"], entry["here"], entry["usable"]) for entry in found] == [
        ("me/bookshelf", True, True),
        ("debian/bookworm64", False, True),
    ]
    assert found[1]["providers"] == ["libvirt", "virtualbox"]
    assert found[1]["description"] == "Debian 12"


async def test_without_a_server_the_store_is_searched_and_that_is_said(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    await add(store, work, tmp_path, "me/mine")
    with Server() as server:
        found = await look(store, work, "MIN", server.url)
    assert [entry["name"] for entry in found] == ["me/mine"]
    assert "only the store was searched" in work.notes[-1]


async def test_a_server_that_has_nothing_to_search_is_an_error_where_nothing_is_here(
    store: BoxStore, work: RecordingWork
) -> None:
    with Server() as server:
        with pytest.raises(NotFoundError, match="cannot be searched"):
            await look(store, work, "x", server.url)
        server.resources["/api/v2/search"] = Resource(b'{"boxes": 3}')
        with pytest.raises(BoxwrightError, match="cannot be understood"):
            await look(store, work, "x", server.url)
        server.resources["/api/v2/search"] = Resource(b"<html>")
        with pytest.raises(NotFoundError, match="cannot be searched"):
            await look(store, work, "x", server.url)
