"""The container in which the steps of one source run, from its image to the one that comes of it."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec

from core.builds import elsewhere
from core.builds.artifact import Artifact
from core.builds.docker import base_image, run_command, undo
from core.builds.docker.archive import export
from core.builds.docker.base_image import BUILDS, LAYERS, Base
from core.builds.docker.image_artifact import ARCHIVE, IMPORT, image_artifact
from core.builds.docker.settings import DockerSettings
from core.builds.elsewhere import Elsewhere
from core.builds.output import claim
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.machine import Endpoint
from core.model.work import Intent, Work
from core.providers.docker import containers, images, removal
from core.providers.docker.daemon import Daemon

_RECORD = "docker.json"


class DockerWorkshop:
    def __init__(self, given: DockerSettings, scene: Scene) -> None:
        self.guest: Guest | None = None
        self._given = given
        self._scene = scene
        self._daemon = Daemon(given.address)
        self._name = f"boxwright-build-{secrets.token_hex(6)}"
        self._reference = f"{BUILDS}:{self._name.removeprefix('boxwright-build-')}"
        """What an image is called until somebody gives it another name."""
        self._base: Base | None = None
        self._made: Intent | None = None
        """Promises to remove the base, where it was made for this build."""
        self._promise: Intent | None = None
        """The same for the container."""
        self._untouched = True

    async def open(self, layer: Path | None, work: Work) -> None:
        if layer is not None:
            self._base = msgspec.json.decode((layer / _RECORD).read_bytes(), type=Base)
            self._untouched = False
        else:
            self._base = await self._begin(work)
        async with work.step("Start the container", detail=self._base.reference) as step:
            await self._start(self._base, step)

    async def _begin(self, work: Work) -> Base:
        given = self._given
        source = given.declared
        if source is None:
            image = await images.look(self._daemon, self._scene.facts["SourceImage"], given.image)
            return Base(reference=image.id, runs=image.runs, architecture=image.architecture)
        name = f"{self._reference}-base"
        image, self._made = await base_image.make(self._daemon, source, name, self._scene, work)
        return Base(reference=name, runs={}, architecture=image.architecture)

    async def _start(self, base: Base, work: Work) -> None:
        facts = {"address": str(self._daemon.address), "name": self._name, "began": time.time()}
        self._promise = work.intend(undo.CONTAINER, **facts)
        query = {"name": self._name, "platform": self._given.platform or None}
        body = self._body(base.reference)
        made = await self._daemon.ask(
            "POST", "/containers/create", query=query, body=body, timeout=containers.SLOW
        )
        await containers.start(self._daemon, self._name)
        await self._enter(str(made["Id"]))
        work.note(self._name)

    def _body(self, image: str) -> dict[str, Any]:
        """As Packer does it: what the other settings say stands before ``run_command``, in the same words."""
        given, scene = self._given, self._scene
        options = {
            "--cap-add": given.cap_add,
            "--cap-drop": given.cap_drop,
            "--device": given.device,
            "--tmpfs": given.tmpfs,
            "--volume": [f"{scene.path(here)}:{there}" for here, there in given.volumes.items()],
            "--runtime": [given.runtime] if given.runtime else [],
        }
        words = [word for option, values in options.items() for value in values for word in (option, value)]
        words += ["--privileged"] if given.privileged else []
        words += [scene.render(word, Image=image) for word in given.run_command]
        return run_command.container(words, image)

    async def _enter(self, container: str) -> None:
        from core.guests.connecting import connect

        address, user = str(self._daemon.address), self._given.exec_user
        endpoint = Endpoint(host=address, port=0, user=user, communicator="docker", target=container)
        self.guest = await connect(endpoint)
        self._scene.facts.update(
            ID=container,
            Host=container,
            Port="0",
            User=user,
            ConnType="docker",
            DockerHost=self._daemon.address.url,
            DockerCertificates=self._daemon.address.certificates,
            reach=f"docker exec -it {self._name} sh",
        )

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        assert self._base is not None
        name = f"{LAYERS}:{place.name}"
        facts: dict[str, Any] = {
            "address": str(self._daemon.address),
            "image": name,
            "began": time.time(),
            "layer": place.name,
            "layers": str(place.parent),
            "container": self._name,
        }
        work.intend(undo.IMAGE, **facts)
        elsewhere.note(place.parent, place.name, Elsewhere(kind=undo.IMAGE, facts=facts))
        if self._untouched:
            query = {"repo": LAYERS, "tag": place.name}
            await self._daemon.ask("POST", f"/images/{self._base.reference}/tag", query=query)
            about = await self._daemon.ask("GET", f"/images/{name}/json")
            # One that somebody else has made takes no room of ours.
            size = int(about["Size"]) if self._made is not None else 0
        else:
            await self._commit(name, {})
            size = int((await self._daemon.ask("GET", f"/images/{name}/history"))[0]["Size"])
        self._untouched = False
        elsewhere.note(place.parent, place.name, Elsewhere(kind=undo.IMAGE, facts=facts, size=size))
        kept = msgspec.structs.replace(self._base, reference=name)
        (folder / _RECORD).write_bytes(msgspec.json.encode(kept))
        work.write(f"Kept this state: {size / 1e6:.1f} MB.\n".encode())
        return True

    async def _commit(self, name: str, more: dict[str, Any]) -> str:
        """The container as it is now, as the image ``name``; returns its id. It stands still meanwhile.

        The image runs what the first one did: the shell that waits for steps is only this container's.
        """
        assert self._base is not None
        repository, _, tag = name.rpartition(":")
        runs = self._base.runs
        found = await self._daemon.ask(
            "POST",
            "/commit",
            query={"container": self._name, "repo": repository, "tag": tag, "pause": True, **more},
            body={"Entrypoint": runs.get("Entrypoint") or [], "Cmd": runs.get("Cmd") or []},
            timeout=None,
        )
        return str(found["Id"])

    async def finish(self, work: Work) -> Artifact | None:
        given = self._given
        if given.discard:
            return None
        if given.export_path:
            return await self._export(work)
        async with work.step("Make the image") as step:
            promise = step.intend(
                undo.IMAGE,
                address=str(self._daemon.address),
                image=self._reference,
                began=time.time(),
                container=self._name,
            )
            self._scene.promises.append(promise)
            more = {
                "author": given.author or None,
                "comment": given.message or None,
                "changes": "\n".join(given.changes) or None,
            }
            image = await self._commit(self._reference, more)
            step.note(image[:19])
        self._scene.facts["ImageSha256"] = image
        assert self._base is not None
        return image_artifact(
            self._daemon, IMPORT, image, (self._reference,), architecture=self._base.architecture
        )

    async def _export(self, work: Work) -> Artifact:
        target = self._scene.path(self._given.export_path)
        async with (
            work.step("Export the container", detail=str(target)) as step,
            claim(target, self._scene, step) as beside,
        ):
            await export(self._daemon, self._name, beside, step)
        assert self._base is not None
        return Artifact(
            maker="packer.docker",
            id="Container",
            files=(str(target),),
            text=f"exported to {target}",
            facts={"format": ARCHIVE, "architecture": self._base.architecture, "user": "root"},
        )

    async def leave(self) -> bool:
        await self._close_guest()
        if self._promise is None:
            return False
        facts = {"address": str(self._daemon.address), "name": self._name, "began": 0.0}
        elsewhere.write(self._scene.folder / elsewhere.LEFT, Elsewhere(kind=undo.CONTAINER, facts=facts))
        self._promise.settle()
        self._promise = None
        return True

    async def close(self) -> None:
        await self._close_guest()
        if self._promise is not None:
            await containers.remove(self._daemon, self._name, with_volumes=True)
            self._promise.settle()
            self._promise = None
        if self._made is not None:
            await removal.remove_image(self._daemon, f"{self._reference}-base")
            self._made.settle()
            self._made = None

    async def _close_guest(self) -> None:
        if self.guest is not None:
            with contextlib.suppress(BoxwrightError, OSError):
                await self.guest.close()
            self.guest = None
