"""Looking for boxes by a few letters of their names: in the store, and on the catalogue server.

The server is asked as Vagrant Cloud is: ``GET SERVER/api/v2/search?q=TEXT`` answers
``{"boxes": [{"tag": "debian/bookworm64", "short_description": "...", "downloads": 1,
"current_version": {"version": "12.1", "providers": [{"name": "libvirt"}]}}]}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from core.boxes import http
from core.boxes.http import visible
from core.boxes.limits import limits
from core.boxes.resolve import server_address
from core.boxes.store import BoxStore
from core.errors import BoxwrightError, NotFoundError
from core.model.command import SearchBoxes
from core.model.work import Work

_SEARCH = "/api/v2/search"
_MOST = 50


class _Offered(msgspec.Struct, frozen=True):
    name: str = ""


class _Current(msgspec.Struct, frozen=True):
    version: str = ""
    providers: tuple[_Offered, ...] = ()


class _Found(msgspec.Struct, frozen=True):
    tag: str
    short_description: str | None = None
    downloads: int | None = None
    current_version: _Current | None = None


class _Page(msgspec.Struct, frozen=True):
    boxes: tuple[_Found, ...] = ()


async def search(
    store: BoxStore, command: SearchBoxes, *, providers: Sequence[str], work: Work
) -> list[dict[str, Any]]:
    """[{name, version, providers, description, downloads, here}], those of the store first. ``usable`` says
    whether it is there for one of ``providers``.

    A server that cannot be reached is an error only where the store has nothing either.
    """
    found = _in_store(store, command.text)
    try:
        offered = await _on_server(command)
    except BoxwrightError as error:
        if not found:
            raise
        work.note(f"only the store was searched: {error.problem.what}")
        offered = []
    known = {entry["name"] for entry in found}
    found += [entry for entry in offered if entry["name"] not in known]
    for entry in found:
        entry["usable"] = bool(set(entry["providers"]) & set(providers))
    return found


def _in_store(store: BoxStore, text: str) -> list[dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    for box in store.list():
        if text.lower() not in box.name.lower():
            continue
        entry = entries.setdefault(
            box.name,
            {
                "name": box.name,
                "version": box.version,
                "providers": [],
                "description": box.description,
                "downloads": 0,
                "here": True,
            },
        )
        if box.key.provider not in entry["providers"]:
            entry["providers"].append(box.key.provider)
    return list(entries.values())


async def _on_server(command: SearchBoxes) -> list[dict[str, Any]]:
    base = server_address(command.server)
    query = {"q": command.text, "limit": str(_MOST), "sort": "downloads", "order": "desc"}
    address = f"{base}{_SEARCH}?{urlencode(query)}"
    try:
        document = await http.fetch(address, limit=limits().document, accept="application/json")
    except NotFoundError:
        raise _no_search(base) from None
    if document.kind != "json":
        raise _no_search(base)
    try:
        page = msgspec.json.decode(document.data, type=_Page)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BoxwrightError(
            f"What the server {visible(base)} found cannot be understood.", why=f"{error}"
        ) from error
    return [_entry(box) for box in page.boxes[:_MOST]]


def _entry(box: _Found) -> dict[str, Any]:
    current = box.current_version or _Current()
    return {
        "name": box.tag,
        "version": current.version,
        "providers": list(dict.fromkeys(each.name for each in current.providers if each.name)),
        "description": (box.short_description or "").strip(),
        "downloads": box.downloads or 0,
        "here": False,
    }


def _no_search(base: str) -> NotFoundError:
    return NotFoundError(
        f"The server {visible(base)} cannot be searched.",
        why=f"It has no {_SEARCH}, which servers of boxes have.",
        remedy="name another server with --server URL or BOXWRIGHT_SERVER",
    )
