"""Images: of boxes, made by us and shared by all machines of the same content; and those of the server."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import io
import secrets
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.lxd.connection import SLOW, Connection, read_file, segment
from core.providers.lxd.options import Options
from core.providers.lxd.troubles import LxdError
from core.providers.root_files import ARCHIVES, root_file

ROOT_FILES = (*ARCHIVES, "rootfs.squashfs")
"""The file of a box that is the container's root file system."""

MARK = "boxwright.rootfs"
"""File name of the images that we have imported: unlike properties, images that are published of their
instances do not inherit it."""

REMOTES = {
    "images": "https://images.linuxcontainers.org",
    "ubuntu": "https://cloud-images.ubuntu.com/releases",
    "ubuntu-daily": "https://cloud-images.ubuntu.com/daily",
}
"""Servers of images by the names that ``lxc`` and ``incus`` give them."""

_HOSTNAME = {"when": ["create", "copy", "rename"], "template": "hostname.tpl"}

Source = dict[str, Any]


class Images:
    """Imports that are under way, and their digests, in one engine."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, int, int], str] = {}
        self._importing: dict[str, asyncio.Lock] = {}

    async def source(self, connection: Connection, plan: MachinePlan, options: Options, work: Work) -> Source:
        """What the instance is to be made of. Raises ProviderError where it is not there, or for another
        architecture."""
        if options.image:
            return await named(connection, options.image)
        root = root_file(plan, ROOT_FILES, "LXD, or an 'image'")
        metadata = box_metadata(plan.architecture)
        fingerprint = await self.fingerprint(root, metadata)
        lock = self._importing.setdefault(f"{connection.place} {fingerprint}", asyncio.Lock())
        async with lock:
            if await connection.find(f"/1.0/images/{fingerprint}") is None:
                await refuse_architecture(connection, plan.architecture)
                work.note("importing the box's image")
                await import_root(connection, root, metadata, work)
        return {"type": "image", "fingerprint": fingerprint}

    async def fingerprint(self, root: Path, metadata: bytes) -> str:
        """As the server counts it."""
        status = await asyncio.to_thread(root.stat)
        key = (str(root), status.st_mtime_ns, status.st_size)
        if key not in self._digests:
            self._digests[key] = await asyncio.to_thread(_digest, root, metadata)
        return self._digests[key]


async def refuse_architecture(connection: Connection, architecture: str) -> None:
    known = (await connection.ask("GET", "/1.0"))["environment"].get("architectures") or []
    if known and architecture not in known:
        raise ProviderError(
            f"The image is for {architecture}, and {connection.place} cannot run that.",
            why=f"It runs {', '.join(known)}.",
            remedy="choose a box or image for one of these, with 'architecture'",
        )


@functools.cache
def box_metadata(architecture: str) -> bytes:
    return make_metadata(architecture)


def make_metadata(architecture: str, properties: Mapping[str, str] = {}) -> bytes:
    """The image's own description: always the same archive, so that equal boxes are one image."""
    text = yaml.safe_dump(
        {
            "architecture": architecture,
            "creation_date": 1,
            "properties": {"description": "Box of Boxwright", **properties},
            "templates": {"/etc/hostname": _HOSTNAME},
        }
    )
    files = {"metadata.yaml": text.encode(), "templates/hostname.tpl": b"{{ instance.name }}\n"}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def _digest(root: Path, metadata: bytes) -> str:
    digest = hashlib.sha256(metadata)
    with root.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


async def import_root(connection: Connection, root: Path, metadata: bytes, work: Work) -> None:
    """An image of a root file system and its description; one that is there already is no error."""
    boundary = secrets.token_hex(16)
    size = (await asyncio.to_thread(root.stat)).st_size

    def part(name: str) -> bytes:
        kind = f'Content-Disposition: form-data; name="{name}"; filename="{MARK}"\r\n'
        return f"--{boundary}\r\n{kind}Content-Type: application/octet-stream\r\n\r\n".encode()

    first = part("metadata") + metadata + b"\r\n" + part("rootfs")
    last = f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(first) + size + len(last)),
    }
    upload = read_file(root, first, last, lambda done: work.progress(done, size, "bytes"))
    try:
        await connection.operate("POST", "/1.0/images", upload=upload, headers=headers, timeout=SLOW)
    except LxdError as error:
        if "already exists" not in error.problem.why:
            raise


async def named(connection: Connection, name: str) -> Source:
    """What a container is made of, by the name of an image. Raises ProviderError where it is not there, or
    for another architecture."""
    remote, colon, alias = name.partition(":")
    if colon:
        server = REMOTES.get(remote)
        if server is None:
            raise ProviderError(
                f"There is no server of images called {remote!r}.",
                why=f"Known are: {', '.join(REMOTES)}.",
                remedy=f'lxc image copy {name} local: --alias NAME, then image = "NAME"',
            )
        pulled = {"mode": "pull", "server": server, "protocol": "simplestreams"}
        return {"type": "image", "alias": alias, **pulled}
    found = await connection.find(f"/1.0/images/aliases/{segment(name)}")
    fingerprint = found["target"] if found else name
    image = await connection.find(f"/1.0/images/{segment(fingerprint)}")
    if image is None:
        raise ProviderError(
            f"There is no image {name!r} at {connection.place}.",
            why="No alias and no fingerprint is called that.",
            remedy=f'lxc image list, or image = "images:{name}"',
        )
    await refuse_architecture(connection, image["architecture"])
    return {"type": "image", "fingerprint": image["fingerprint"]}


async def remove_unused(connection: Connection, busy: Mapping[str, int]) -> None:
    """Remove the images that we have imported and nothing is made of any more; ``busy``: how many
    machines are about to be made of each."""
    query: dict[str, str | int] = {"recursion": 1, "filter": f"filename eq {MARK}"}
    for image in await connection.ask("GET", "/1.0/images", query=query) or ():
        fingerprint = image["fingerprint"]
        if busy.get(fingerprint) or image.get("filename") != MARK:
            continue
        query = {"recursion": 1, "filter": f"config.volatile.base_image eq {fingerprint}"}
        if not await connection.ask("GET", "/1.0/instances", query=query):
            await remove_image(connection, fingerprint)


async def remove_image(connection: Connection, fingerprint: str) -> None:
    """One that is gone already is no error."""
    try:
        await connection.operate("DELETE", f"/1.0/images/{fingerprint}")
    except LxdError as error:
        if error.status != 404 and "not found" not in error.problem.why.lower():
            raise
