"""The temporary instance in which the steps of one source run, and the image that is made of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.builds import elsewhere
from core.builds.amazon import account, images, launch, undo
from core.builds.amazon.account import AmazonError, Ec2
from core.builds.amazon.images import Image, tag_list
from core.builds.amazon.settings import AmazonSettings
from core.builds.artifact import Artifact
from core.builds.communicator import connect
from core.builds.elsewhere import Elsewhere
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.work import Intent, Work

_SOON = 0.2
"""Seconds before it is looked again for the first time."""


class _Done:
    """The promise about everything: kept by forgetting who asked, from when on nothing is taken back."""

    def __init__(self, intent: Intent, file: Path) -> None:
        self._intent = intent
        self._file = file

    def settle(self) -> None:
        self._file.unlink(missing_ok=True)
        self._intent.settle()


class AmazonWorkshop:
    def __init__(self, given: AmazonSettings, scene: Scene) -> None:
        self.guest: Guest | None = None
        self._given = given
        self._scene = scene
        self._ec2 = Ec2(account.account_of(given, scene.world.environment))
        self._mark = scene.folder.name
        self._file = scene.folder.with_name(f"{scene.folder.name}.amazon")
        self._all: Intent | None = None
        self._promises: dict[str, Intent] = {}
        """About what is temporary, by what it is."""
        self._instance = ""
        self._source: Image = {}

    def _facts(self, what: str, began: float) -> dict[str, Any]:
        return {"account": str(self._file), "mark": self._mark, "what": what, "began": began}

    def _promise(self, what: str, work: Work) -> Intent:
        intent = work.intend(undo.AMAZON, **self._facts(what, time.time()))
        if what not in ("all", "image"):
            self._promises[what] = intent
        return intent

    async def open(self, layer: Path | None, work: Work) -> None:
        given = self._given
        self._all = self._promise("all", work)
        account.write(self._file, self._ec2.account)
        self._scene.promises.append(_Done(self._all, self._file))
        async with work.step("Find the source image") as step:
            self._source = await images.find_source(self._ec2, given)
            step.note(f"{self._source['ImageId']} {self._source.get('Name', '')}".strip())
        self._scene.facts.update(self._about_source())
        key, identity = given.ssh_keypair_name, ""
        if given.makes_key:
            async with work.step("Make a key pair") as step:
                key, identity = await self._make_key(step)
        groups = list(given.groups)
        if not groups and given.communicator != "none":
            async with work.step("Make a security group") as step:
                groups = [await self._make_group(step)]
        async with work.step("Start the instance", detail=given.instance_type) as step:
            about = await self._start(key, groups, step)
        if given.communicator == "none":
            return
        host = given.named_host or launch.address(about, given.ssh_interface)
        identities = [identity] if identity else []
        self.guest = await connect(given, host, given.login_port, self._scene, work, identities=identities)

    def _about_source(self) -> dict[str, str]:
        """What templates call ``.SourceAMI`` and the like, and ``build.SourceAMI``."""
        source = self._source
        return {
            "BuildRegion": self._given.region,
            "SourceAMI": str(source["ImageId"]),
            "SourceAMIName": str(source.get("Name", "")),
            "SourceAMICreationDate": str(source.get("CreationDate", "")),
            "SourceAMIOwner": str(source.get("OwnerId", "")),
        }

    def _specification(self, kind: str, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Tags of what is made, from its beginning: by the mark it is found again."""
        fields = self._about_source()
        rendered = {key: self._scene.render(value, **fields) for key, value in (tags or {}).items()}
        return {"ResourceType": kind, "Tags": tag_list({**rendered, undo.TAG: self._mark})}

    async def _make_key(self, work: Work) -> tuple[str, str]:
        """The pair's name, and the private key's file. The private key is made here, and stays here."""
        import asyncssh

        from core.guests.hostkeys import write_private

        rsa = self._given.temporary_key_pair_type == "rsa"
        name = self._given.temporary_key_pair_name or f"boxwright-{self._mark}"
        made = await asyncio.to_thread(
            asyncssh.generate_private_key,
            "ssh-rsa" if rsa else "ssh-ed25519",
            comment=name,
            **({"key_size": self._given.temporary_key_pair_bits or 3072} if rsa else {}),
        )
        file = self._scene.folder / "id_amazon"
        write_private(file, made.export_private_key("openssh"))
        self._promise("key", work)
        await self._ec2.call(
            "import_key_pair",
            KeyName=name,
            PublicKeyMaterial=made.export_public_key("openssh").strip(),
            TagSpecifications=[self._specification("key-pair", self._given.tags_of("run"))],
        )
        work.note(name)
        return name, str(file)

    async def _make_group(self, work: Work) -> str:
        given, ec2 = self._given, self._ec2
        vpc = given.vpc_id
        if given.subnet_id and not vpc:
            found = await ec2.call("describe_subnets", SubnetIds=[given.subnet_id])
            vpc = found["Subnets"][0]["VpcId"]
        self._promise("group", work)
        made = await ec2.call(
            "create_security_group",
            GroupName=f"boxwright-{self._mark}",
            Description="Temporary, for a build of an image",
            TagSpecifications=[self._specification("security-group", given.tags_of("run"))],
            **({"VpcId": vpc} if vpc else {}),
        )
        group = str(made["GroupId"])
        port = given.login_port
        ranges = [{"CidrIp": text} for text in given.temporary_security_group_source_cidrs]
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}
        await ec2.call("authorize_security_group_ingress", GroupId=group, IpPermissions=[rule])
        work.note(group)
        return group

    async def _start(self, key: str, groups: list[str], work: Work) -> dict[str, Any]:
        """Start the instance and return what Amazon says of it when it runs."""
        given = self._given
        run_tags = given.tags_of("run")
        specifications = [
            self._specification("instance", {"Name": "Boxwright Builder", **run_tags}),
            self._specification("volume", given.tags_of("run_volume") or run_tags),
        ]
        user_data = given.user_data
        if given.user_data_file:
            user_data = await asyncio.to_thread(self._scene.path(given.user_data_file).read_text)
        asked = launch.asked(given, str(self._source["ImageId"]), key, groups)
        # A call that is sent again, as its answer was lost, starts no second one.
        asked |= {"ClientToken": self._mark, "TagSpecifications": specifications}
        asked |= {"UserData": user_data} if user_data else {}
        self._promise("instance", work)
        made = await self._ec2.call("run_instances", **asked)
        self._instance = str(made["Instances"][0]["InstanceId"])
        work.write(f"Instance {self._instance}\n".encode())
        self._scene.facts["ID"] = self._instance
        return await self._until("running", given.polling.delay_seconds, work)

    async def _until(self, state: str, longest: float, work: Work) -> dict[str, Any]:
        """Wait until the instance is in a state. Raises BoxwrightError where it never will be."""
        pause = min(_SOON, longest)
        for _ in range(self._given.polling.max_attempts):
            try:
                found = await self._ec2.call("describe_instances", InstanceIds=[self._instance])
                about: dict[str, Any] = found["Reservations"][0]["Instances"][0]
            except (AmazonError, IndexError) as error:
                # Amazon may not know yet what it has just made.
                if isinstance(error, AmazonError) and error.reason != "InvalidInstanceID.NotFound":
                    raise
                about = {"State": {"Name": "pending"}}
            now = about["State"]["Name"]
            work.note(f"{self._instance} is {now}")
            if now == state:
                return about
            if now in ("terminated", "shutting-down") or (state == "running" and now == "stopped"):
                why = str(about.get("StateReason", {}).get("Message", ""))
                raise BoxwrightError(f"The instance is {now}, and was to be {state}.", why=why)
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)
        raise BoxwrightError(f"The instance {self._instance} was not {state} in time.")

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        return False

    async def finish(self, work: Work) -> Artifact | None:
        given, ec2 = self._given, self._ec2
        await self._close_guest()
        if given.skip_create_ami:
            return None
        async with work.step("Stop the instance") as step:
            if not given.disable_stop_instance:
                await ec2.call("stop_instances", InstanceIds=[self._instance])
            await self._until("stopped", given.polling.delay_seconds, step)
        async with work.step("Make the image", detail=given.ami_name) as step:
            if given.force_deregister or self._scene.force:
                await images.deregister(ec2, given.ami_name, step, snapshots=given.force_delete_snapshot)
            self._scene.promises.append(self._promise("image", step))
            image = await self._make_image(step)
        return images.image_artifact(ec2, image, given.ami_name)

    async def _make_image(self, work: Work) -> Image:
        given, ec2, fields = self._given, self._ec2, self._about_source()
        mappings = [one.as_asked() for one in given.ami_block_device_mappings]
        made = await ec2.call(
            "create_image",
            InstanceId=self._instance,
            Name=given.ami_name,
            Description=self._scene.render(given.ami_description, **fields),
            TagSpecifications=[self._specification("image", given.tags_of(""))],
            **({"BlockDeviceMappings": mappings} if mappings else {}),
        )
        image = await images.until_available(ec2, str(made["ImageId"]), given.polling, work)
        snapshots = sorted(undo.snapshots_of(image))
        tags = self._specification("snapshot", {**given.tags_of(""), **given.tags_of("snapshot")})["Tags"]
        if snapshots:
            await ec2.call("create_tags", Resources=snapshots, Tags=tags)
        return image

    async def leave(self) -> bool:
        await self._close_guest()
        if self._all is None or not self._instance:
            return False
        facts = self._facts("all", 0.0)
        elsewhere.write(self._scene.folder / elsewhere.LEFT, Elsewhere(kind=undo.AMAZON, facts=facts))
        for intent in (*self._promises.values(), self._all):
            intent.settle()
        self._promises.clear()
        return True

    async def close(self) -> None:
        await self._close_guest()
        for what, remove in (
            ("instance", undo.remove_instance),
            ("group", undo.remove_group),
            ("key", undo.remove_key),
        ):
            intent = self._promises.pop(what, None)
            if intent is not None:
                await remove(self._ec2, self._mark)
                intent.settle()

    async def _close_guest(self) -> None:
        if self.guest is not None:
            with contextlib.suppress(BoxwrightError, OSError):
                await self.guest.close()
            self.guest = None
