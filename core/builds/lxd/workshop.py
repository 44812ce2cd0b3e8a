"""The container in which the steps of one source run, from its image to the one that comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from pathlib import Path
from typing import Any

import msgspec

from core.boxes import architecture
from core.builds import elsewhere
from core.builds.artifact import Artifact
from core.builds.elsewhere import Elsewhere
from core.builds.lxd import images, undo
from core.builds.lxd.alias import alias_of, give
from core.builds.lxd.images import RECORD, Base
from core.builds.lxd.settings import LxdSettings
from core.builds.lxd.undo import MARK
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.machine import Endpoint
from core.model.work import Intent, Work
from core.providers.lxd import instances
from core.providers.lxd.connection import Connection
from core.providers.lxd.guest import COMMUNICATOR, target_of
from core.providers.lxd.instances import Row
from core.providers.lxd.troubles import LxdError, client

_HALT_SECONDS = 30


class LxdWorkshop:
    """Each state that is kept is an image, published from a snapshot while the container stands still."""

    def __init__(self, given: LxdSettings, scene: Scene) -> None:
        self.guest: Guest | None = None
        self._given = given
        self._scene = scene
        self._connection = Connection(given.place)
        self._mark = secrets.token_hex(6)
        self._name = given.container_name or f"boxwright-build-{self._mark}"
        self._base: Base | None = None
        self._made: Intent | None = None
        """Promises to remove the base, where it was made for this build."""
        self._promise: Intent | None = None
        """The same for the container."""

    @property
    def _facts(self) -> dict[str, Any]:
        place = self._given.place
        return {"server": place.server, "project": place.project, "name": self._name, "mark": self._mark}

    async def open(self, layer: Path | None, work: Work) -> None:
        source = self._given.declared
        if layer is not None:
            self._base = msgspec.json.decode((layer / RECORD).read_bytes(), type=Base)
        elif source is None:
            self._base = await images.look(self._connection, self._scene.facts["SourceImage"])
        else:
            mark = f"{self._mark}-base"
            self._made = work.intend(undo.IMAGE, **{**self._facts, "mark": mark, "name": ""})
            self._base = await images.make(self._connection, source, mark, self._scene, work)
        async with work.step("Start the container", detail=self._base.fingerprint[:12]) as step:
            await self._start(self._base, step)

    async def _start(self, base: Base, work: Work) -> None:
        given = self._given
        devices: dict[str, dict[str, str]] = {}
        if given.pool:
            devices["root"] = {"type": "disk", "path": "/", "pool": given.pool}
        if given.network:
            devices["eth0"] = {"type": "nic", "name": "eth0", "network": given.network}
        body = {
            "name": self._name,
            "type": "container",
            "source": {"type": "image", "fingerprint": base.fingerprint},
            "config": {**given.launch_config, MARK: self._mark},
            "devices": devices,
            "profiles": [given.profile],
            "description": f"A build of {self._scene.project}",
        }
        self._promise = work.intend(undo.CONTAINER, **self._facts)
        await instances.create(self._connection, body)
        await instances.change_state(self._connection, await self._row(), "start")
        work.note(self._name)
        await asyncio.sleep(given.patience)
        await self._enter()

    async def _row(self) -> Row:
        return msgspec.convert(await self._connection.ask("GET", Row(name=self._name).path), Row)

    async def _enter(self) -> None:
        from core.guests.connecting import connect

        place = self._given.place
        target = target_of(place, self._name)
        self.guest = await connect(
            Endpoint(host=place.server, port=0, user="root", communicator=COMMUNICATOR, target=target)
        )
        self._scene.facts.update(
            ID=self._name,
            Host=self._name,
            Port="0",
            User="root",
            ConnType="lxd",
            reach=f"{client(place)} exec {self._name} -- sh",
        )

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        facts: dict[str, Any] = {
            **self._facts,
            "mark": f"{self._mark}-{place.name}",
            "layer": place.name,
            "layers": str(place.parent),
        }
        work.intend(undo.IMAGE, **facts)
        elsewhere.note(place.parent, place.name, Elsewhere(kind=undo.IMAGE, facts=facts))
        path = Row(name=self._name).path
        await self._connection.operate("POST", f"{path}/snapshots", body={"name": "kept", "stateful": False})
        try:
            kept, size = await images.publish(self._connection, self._name, {MARK: facts["mark"]}, "kept")
        finally:
            await asyncio.shield(self._connection.operate("DELETE", f"{path}/snapshots/kept"))
        elsewhere.note(place.parent, place.name, Elsewhere(kind=undo.IMAGE, facts=facts, size=size))
        (folder / RECORD).write_bytes(msgspec.json.encode(kept))
        work.write(f"Kept this state: {size / 1e6:.1f} MB.\n".encode())
        return True

    async def finish(self, work: Work) -> Artifact | None:
        async with work.step("Stop the container") as step:
            await self._close_guest()
            await self._halt(step)
        if self._given.skip_publish:
            return None
        alias = alias_of(self._given, self._scene)
        mark = f"{self._mark}-image"
        async with work.step("Publish the image", detail=alias) as step:
            self._scene.promises.append(step.intend(undo.IMAGE, **{**self._facts, "mark": mark}))
            properties = {**self._given.publish_properties, MARK: mark}
            made, size = await images.publish(self._connection, self._name, properties, "")
            await give(self._connection, alias, made.fingerprint, force=self._scene.force)
            step.note(f"{made.fingerprint[:12]}, {size / 1e6:.1f} MB")
        made = msgspec.structs.replace(made, architecture=architecture.canonical(made.architecture))
        return images.image_artifact(made, alias, mark)

    async def _halt(self, work: Work) -> None:
        row = await self._row()
        if not row.active:
            return
        try:
            await instances.change_state(self._connection, row, "stop", timeout=_HALT_SECONDS)
        except LxdError as error:
            if not error.status:
                raise
            work.note(f"did not halt within {_HALT_SECONDS} s; ended by force")
            await instances.end(self._connection, await self._row())

    async def leave(self) -> bool:
        await self._close_guest()
        if self._promise is None:
            return False
        beyond = Elsewhere(kind=undo.CONTAINER, facts=self._facts)
        elsewhere.write(self._scene.folder / elsewhere.LEFT, beyond)
        self._promise.settle()
        self._promise = None
        return True

    async def close(self) -> None:
        await self._close_guest()
        if self._promise is not None:
            await undo.remove_instance(self._connection, self._name, self._mark)
            self._promise.settle()
            self._promise = None
        if self._made is not None:
            await undo.remove_images(self._connection, f"{self._mark}-base")
            self._made.settle()
            self._made = None

    async def _close_guest(self) -> None:
        if self.guest is not None:
            with contextlib.suppress(BoxwrightError, OSError):
                await self.guest.close()
            self.guest = None
