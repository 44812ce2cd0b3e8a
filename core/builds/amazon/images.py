"""Images at Amazon: the one that a build begins with, those in its way, and the one that it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from core.builds.amazon.account import AmazonError, Ec2
from core.builds.amazon.settings import AmazonSettings, Polling
from core.builds.amazon.undo import snapshots_of
from core.builds.artifact import Artifact
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.work import Work

MAKER = "mitchellh.amazonebs"
"""Packer's id of this source."""

FORMAT = "amazon"

Image = dict[str, Any]


async def find_source(ec2: Ec2, given: AmazonSettings) -> Image:
    """The image that the settings name or describe. Raises NotFoundError, UsageError for several."""
    if given.source_ami:
        try:
            found = (await ec2.call("describe_images", ImageIds=[given.source_ami]))["Images"]
        except AmazonError as error:
            if not error.reason.startswith("InvalidAMIID"):
                raise
            found = []
        if not found:
            raise NotFoundError(f"There is no image {given.source_ami} in {given.region}.")
        return dict(found[0])
    wanted = given.wanted
    found = await ec2.all(
        "describe_images",
        "Images",
        wanted.filters,
        {"Owners": list(wanted.owners), "IncludeDeprecated": wanted.include_deprecated},
    )
    if not found:
        raise NotFoundError(f"No image in {given.region} is what the filter says.")
    if len(found) > 1 and not wanted.most_recent:
        names = sorted(f"{one['ImageId']} {one.get('Name', '')}".strip() for one in found)
        raise UsageError(
            f"{len(found)} images are what the filter says.",
            why=f"{', '.join(names[:5])}{', ...' if len(names) > 5 else ''}.",
            remedy="make it narrower, or say most_recent = true",
        )
    return max(found, key=lambda one: str(one.get("CreationDate", "")))


async def named(ec2: Ec2, name: str) -> list[Image]:
    """Images of this account with a name: none or one."""
    # Filters take wildcards, which a name must not be.
    found = await ec2.all("describe_images", "Images", {"name": _literal(name)}, {"Owners": ["self"]})
    return [one for one in found if one.get("Name") == name]


def _literal(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?\\" else letter for letter in text)


async def refuse_taken(ec2: Ec2, name: str) -> None:
    """Raises UsageError where an image has the name."""
    for image in await named(ec2, name):
        raise UsageError(
            f"The image {name} is there already: {image['ImageId']} in {ec2.account.region}.",
            why="A build does not replace an image that an earlier one, or somebody else, made.",
            remedy="boxwright build --force ...   (replaces it), or force_deregister = true",
        )


async def deregister(ec2: Ec2, name: str, work: Work, *, snapshots: bool) -> None:
    """Take an image away, as its name is wanted, and with ``snapshots`` what it consists of."""
    for image in await named(ec2, name):
        work.write(f"Deregistering {image['ImageId']}, which has the name.\n".encode())
        await ec2.call("deregister_image", ImageId=image["ImageId"])
        for snapshot in sorted(snapshots_of(image)) if snapshots else ():
            await ec2.call("delete_snapshot", SnapshotId=snapshot)


async def until_available(ec2: Ec2, image: str, polling: Polling, work: Work) -> Image:
    """Wait for an image to be finished. Raises BoxwrightError where it fails, or takes too long."""
    for _ in range(polling.max_attempts):
        try:
            found = (await ec2.call("describe_images", ImageIds=[image]))["Images"]
        except AmazonError as error:
            if not error.reason.startswith("InvalidAMIID"):
                raise
            found = []
        state = found[0]["State"] if found else "pending"
        work.note(f"{image} is {state}")
        if state == "available":
            return dict(found[0])
        if state != "pending":
            about = found[0].get("StateReason", {}).get("Message", "")
            raise BoxwrightError(f"The image {image} is {state}.", why=about)
        await asyncio.sleep(polling.delay_seconds)
    raise BoxwrightError(
        f"The image {image} was not finished in time.",
        why=f'Amazon was asked {polling.max_attempts} times; "aws_polling" says how often.',
    )


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As EC2 takes tags."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def image_artifact(ec2: Ec2, image: Image, name: str) -> Artifact:
    """As Packer says and names it."""
    region, id = ec2.account.region, str(image["ImageId"])

    async def gone() -> None:
        await ec2.call("deregister_image", ImageId=id)
        for snapshot in sorted(snapshots_of(image)):
            await ec2.call("delete_snapshot", SnapshotId=snapshot)

    return Artifact(
        maker=MAKER,
        id=f"{region}:{id}",
        text=f"AMIs were created:\n{region}: {id}",
        facts={"format": FORMAT, "region": region, "image": id, "name": name},
        remove_elsewhere=gone,
    )
