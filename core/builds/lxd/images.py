"""Images at the server: what a container is made from, and what one becomes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from core.boxes import architecture
from core.builds import elsewhere
from core.builds.artifact import Artifact
from core.builds.bootstrap import bootstrap_root
from core.builds.layers import LayerStore
from core.builds.lxd.undo import MARK, remove_images
from core.builds.root_archive import NAME, repack
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.model.project import Bootstrap
from core.model.work import Work
from core.providers.lxd import images
from core.providers.lxd.connection import SLOW, Connection, segment
from core.providers.lxd.place import Place

MAKER = "lxd"
"""Packer's id of who makes such images."""

FORMAT = "lxd-image"

RECORD = "lxd.json"
"""In a layer."""


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The image that a container is made from."""

    server: str
    project: str
    fingerprint: str
    architecture: str


async def fetch(connection: Connection, name: str, work: Work) -> str:
    """Have the image at the server; returns its fingerprint. Raises BoxwrightError."""
    source = await images.named(connection, name)
    if source.get("mode") != "pull":
        return str(source["fingerprint"])
    async with work.step("Pull the image", detail=name):
        done = await connection.operate("POST", "/1.0/images", body={"source": source}, timeout=SLOW)
        return str(done["metadata"]["fingerprint"])


async def look(connection: Connection, fingerprint: str) -> Base:
    """Raises LxdError where it is gone."""
    about = await connection.ask("GET", f"/1.0/images/{segment(fingerprint)}")
    place = connection.place
    return Base(
        server=place.server,
        project=place.project,
        fingerprint=about["fingerprint"],
        architecture=about["architecture"],
    )


async def make(connection: Connection, source: Bootstrap, mark: str, scene: Scene, work: Work) -> Base:
    """The image of a system made from packages. Whoever asks for it promises to remove it."""
    root = await bootstrap_root(source, folder=scene.folder, work=work)
    metadata = images.make_metadata(architecture.hardware(source.architecture), {MARK: mark})
    async with work.step("Import the file system") as step:
        await images.import_root(connection, root, metadata, step)
    fingerprint = await images.Images().fingerprint(root, metadata)
    root.unlink()
    return await look(connection, fingerprint)


async def publish(
    connection: Connection, instance: str, properties: dict[str, str], snapshot: str
) -> tuple[Base, int]:
    """The container, or its ``snapshot``, as an image that nobody else is shown; with its size in bytes.

    Raises LxdError.
    """
    source = {"type": "snapshot", "name": f"{instance}/{snapshot}"} if snapshot else None
    body: dict[str, Any] = {
        "source": source or {"type": "instance", "name": instance},
        "properties": properties,
        "public": False,
        "compression_algorithm": "none",
    }
    done = await connection.operate("POST", "/1.0/images", body=body, timeout=SLOW)
    about = done["metadata"]
    return await look(connection, str(about["fingerprint"])), int(about.get("size") or 0)


async def forget_lost_layers(connection: Connection, scene: Scene) -> None:
    """Somebody else may have removed images of layers: those layers are none any more."""
    store = LayerStore(scene.locations.layers)
    there: set[str] | None = None
    for layer in store.list():
        path = store.folder / layer.id / RECORD
        if not path.exists():
            continue
        base = msgspec.json.decode(path.read_bytes(), type=Base)
        if Place(base.server, base.project) != connection.place:
            continue
        if there is None:
            urls = await connection.ask("GET", "/1.0/images") or ()
            there = {str(url).partition("?")[0].rpartition("/")[2] for url in urls}
        if base.fingerprint not in there and store.remove(layer.id):
            elsewhere.forget(store.folder, layer.id)


def image_artifact(base: Base, alias: str, mark: str) -> Artifact:
    async def gone() -> None:
        connection = Connection(Place(base.server, base.project))
        await remove_images(connection, mark)

    return Artifact(
        maker=MAKER,
        id=base.fingerprint,
        text=f"image {alias} ({base.fingerprint[:12]})" if alias else f"image {base.fingerprint[:12]}",
        facts={
            "format": FORMAT,
            "server": base.server,
            "lxd_project": base.project,
            "alias": alias,
            "architecture": base.architecture,
            "providers": "lxd",
            "user": "root",
        },
        remove_elsewhere=gone,
    )


def is_image(artifact: Artifact) -> bool:
    return artifact.facts.get("format") == FORMAT


async def remains(artifact: Artifact) -> bool:
    """Whether the server has the image under the name that the build gave it. Raises BoxwrightError."""
    connection = connection_of(artifact)
    if not artifact.facts["alias"]:
        return await connection.find(f"/1.0/images/{artifact.id}") is not None
    found = await connection.find(f"/1.0/images/aliases/{segment(artifact.facts['alias'])}")
    return found is not None and found["target"] == artifact.id


def connection_of(artifact: Artifact) -> Connection:
    return Connection(Place(artifact.facts["server"], artifact.facts["lxd_project"]))


async def box_root(artifact: Artifact, scene: Scene, work: Work) -> Path:
    """The box's archive in the build's own folder. Raises BoxwrightError."""
    exported, packed = scene.folder / "exported.tar", scene.folder / NAME
    connection = connection_of(artifact)
    await connection.download(f"/1.0/images/{artifact.id}/export", exported, work)
    if not await asyncio.to_thread(repack, exported, packed, "rootfs/"):
        raise BoxwrightError(
            "The image of the container holds no root file system.", why=f"It is {artifact.id}."
        )
    exported.unlink()
    return packed
