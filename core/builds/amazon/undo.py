"""Takes back what builds make at Amazon. Everything has the build's mark, which was written down before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.model.work import UndoTable

if TYPE_CHECKING:
    from core.builds.amazon.account import Ec2

AMAZON = "build.amazon"
"""Kind of intent: ``what`` of the build ``mark``, asked for at the time ``began``: one of :data:`THINGS`, or
"all" of them. ``account``: the private file with who asks; once that is gone the build was done, and what
is there stays. With "all" it is removed at the end."""

TAG = "boxwright-build"
"""Has the mark of the build as its value."""

THINGS = ("image", "instance", "group", "key")
"""In the order in which they can be removed."""

_PAUSE = 1.0


async def remove(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`AMAZON`. Raises AmazonError, ProviderError."""
    from core.builds.amazon.account import Ec2, read
    from core.providers.docker.late import appears

    file = Path(facts["account"])
    account = await asyncio.to_thread(read, file)
    if account is None:
        return
    ec2, what, mark = Ec2(account), facts["what"], facts["mark"]
    if what == "all":
        for one in THINGS:
            await _REMOVE[one](ec2, mark)
        await asyncio.to_thread(file.unlink, missing_ok=True)
        return

    async def there() -> bool:
        return bool(await _FIND[what](ec2, mark))

    # What was asked for right before somebody died may only just begin to exist.
    await appears(there, facts["began"])
    await _REMOVE[what](ec2, mark)


def _marked(mark: str) -> dict[str, str]:
    return {f"tag:{TAG}": mark}


async def _instances(ec2: Ec2, mark: str) -> list[str]:
    """Those that are not gone yet."""
    found = await ec2.all("describe_instances", "Reservations", _marked(mark))
    all_of_them = [one for reservation in found for one in reservation["Instances"]]
    return [one["InstanceId"] for one in all_of_them if one["State"]["Name"] != "terminated"]


async def remove_instance(ec2: Ec2, mark: str) -> None:
    """Returns when it is gone; with the volumes that would outlive it."""
    while found := await _instances(ec2, mark):
        await ec2.call("terminate_instances", InstanceIds=found)
        if not await _instances(ec2, mark):
            break
        await asyncio.sleep(_PAUSE)
    for volume in await ec2.all("describe_volumes", "Volumes", _marked(mark)):
        await _tolerant(ec2, "delete_volume", VolumeId=volume["VolumeId"])


async def _groups(ec2: Ec2, mark: str) -> list[str]:
    found = await ec2.all("describe_security_groups", "SecurityGroups", _marked(mark))
    return [one["GroupId"] for one in found]


async def remove_group(ec2: Ec2, mark: str) -> None:
    for group in await _groups(ec2, mark):
        await _tolerant(ec2, "delete_security_group", GroupId=group)


async def _keys(ec2: Ec2, mark: str) -> list[str]:
    found = await ec2.all("describe_key_pairs", "KeyPairs", _marked(mark))
    return [one["KeyName"] for one in found]


async def remove_key(ec2: Ec2, mark: str) -> None:
    for key in await _keys(ec2, mark):
        await _tolerant(ec2, "delete_key_pair", KeyName=key)


async def _images(ec2: Ec2, mark: str) -> list[dict[str, Any]]:
    return await ec2.all("describe_images", "Images", _marked(mark), {"Owners": ["self"]})


async def remove_image(ec2: Ec2, mark: str) -> None:
    """The image, and the snapshots that it consists of."""
    found = await ec2.all("describe_instances", "Reservations", _marked(mark))
    made_from = [one["InstanceId"] for reservation in found for one in reservation["Instances"]]
    snapshots = []
    for instance in made_from:
        # They have no mark yet where the image was only just begun; Amazon describes them by their origin.
        described = f"Created by CreateImage({instance})*"
        snapshots += await ec2.all(
            "describe_snapshots", "Snapshots", {"description": described}, {"OwnerIds": ["self"]}
        )
    ids = {one["SnapshotId"] for one in snapshots}
    for image in await _images(ec2, mark):
        ids |= snapshots_of(image)
        await _tolerant(ec2, "deregister_image", ImageId=image["ImageId"])
    for snapshot in sorted(ids):
        await _tolerant(ec2, "delete_snapshot", SnapshotId=snapshot)


def snapshots_of(image: Mapping[str, Any]) -> set[str]:
    disks = [disk.get("Ebs", {}) for disk in image.get("BlockDeviceMappings", ())]
    return {disk["SnapshotId"] for disk in disks if disk.get("SnapshotId")}


async def _tolerant(ec2: Ec2, name: str, **arguments: str) -> None:
    """Remove what may be gone already, or be in use for a moment longer."""
    from core.builds.amazon.account import AmazonError

    for attempt in range(30):
        try:
            await ec2.call(name, **arguments)
            return
        except AmazonError as error:
            if ".NotFound" in error.reason or error.reason in ("InvalidAMIID.Unavailable", "IncorrectState"):
                return
            if error.reason not in ("DependencyViolation", "VolumeInUse", "InvalidSnapshot.InUse"):
                raise
            if attempt == 29:
                raise
        await asyncio.sleep(_PAUSE)


_FIND: Mapping[str, Callable[[Ec2, str], Awaitable[list[Any]]]] = {
    "image": _images,
    "instance": _instances,
    "group": _groups,
    "key": _keys,
}
_REMOVE: Mapping[str, Callable[[Ec2, str], Awaitable[None]]] = {
    "image": remove_image,
    "instance": remove_instance,
    "group": remove_group,
    "key": remove_key,
}

UNDO: UndoTable = {AMAZON: remove}
