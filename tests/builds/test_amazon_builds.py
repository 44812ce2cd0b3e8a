"""Builds of AMIs, against a simulated EC2 and a real sshd: what comes of them, and what is left."""

from __future__ import annotations

import asyncio
import getpass
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.builds import undo
from core.builds.base import Request
from core.errors import BoxwrightError, ConfigError, NotFoundError, ProviderError, UsageError
from core.undo import SHARED
from tests.builds.test_killed import killed_at, left, unsettled
from tests.builds.yard import Yard
from tests.support.ec2 import ACCESS, REGION, SECRET, Ec2Server
from tests.support.sshd import Sshd

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[Ec2Server]:
    folder = Path(tempfile.mkdtemp(prefix="ec2-"))
    sshd = Sshd(folder)
    sshd.start()
    made = Ec2Server(sshd)
    yield made
    made.stop()
    sshd.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def ec2(server: Ec2Server) -> AsyncIterator[Ec2Server]:
    """After the test it has what it had before."""
    before = await asyncio.to_thread(server.objects)
    yield server
    assert await asyncio.to_thread(server.objects) == before


@pytest.fixture
def yard(boxwright_home: Path) -> Yard:
    return Yard(boxwright_home)


def source(ec2: Ec2Server, **more: Any) -> dict[str, Any]:
    settings = {
        "type": "amazon-ebs",
        "name": "web",
        "region": REGION,
        "access_key": ACCESS,
        "secret_key": SECRET,
        "custom_endpoint_ec2": ec2.url,
        "source_ami": ec2.source,
        "instance_type": "t3.micro",
        "ami_name": "web 1",
        "ssh_username": getpass.getuser(),
        "ssh_host": "127.0.0.1",
        "ssh_port": ec2.sshd.port,
        **more,
    }
    return {name: value for name, value in settings.items() if value is not None}


def template(yard: Yard, ec2: Ec2Server, *steps: str, **more: Any) -> None:
    provisioners = [{"type": "shell", "inline": [step]} for step in steps]
    posts = [{"type": "manifest", "output": "made.json"}]
    whole = {"builders": [source(ec2, **more)], "provisioners": provisioners, "post-processors": posts}
    yard.write("t.json", json.dumps(whole))


def known(ec2: Ec2Server, kind: str) -> list[str]:
    return ec2.objects()[kind]


async def test_an_image_is_made_of_an_instance_that_was_provisioned(yard: Yard, ec2: Ec2Server) -> None:
    template(
        yard,
        ec2,
        'echo "on $PACKER_BUILDER_TYPE"; cat "$HOME/.ssh/authorized_keys"',
        ami_description="From {{ .SourceAMIName }}",
        tags={"Team": "shop", "Base": "{{ .SourceAMI }}"},
        run_tags={"Owner": "me"},
        snapshot_tags={"Kept": "yes"},
        launch_block_device_mappings=[
            {
                "device_name": "/dev/sdb",
                "volume_size": 9,
                "volume_type": "gp3",
                "delete_on_termination": False,
            }
        ],
    )
    (made,) = await yard.build("t.json")
    image = ec2.image("web 1")
    (artifact,) = made.artifacts
    assert artifact.id == f"{REGION}:{image['ImageId']}"
    assert artifact.text == f"AMIs were created:\n{REGION}: {image['ImageId']}"
    assert image["Description"] == "From base 1"
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert (tags["Team"], tags["Base"]) == ("shop", ec2.source)
    snapshots = [disk["Ebs"]["SnapshotId"] for disk in image["BlockDeviceMappings"]]
    (found,) = ec2.client.describe_snapshots(SnapshotIds=snapshots)["Snapshots"]
    assert {"Key": "Kept", "Value": "yes"} in found["Tags"]
    (entry,) = json.loads((yard.folder / "made.json").read_text())["builds"]
    assert (entry["builder_type"], entry["artifact_id"]) == ("amazon-ebs", artifact.id)
    assert b"on amazon-ebs" in yard.work.output
    assert b"ssh-ed25519 " in yard.work.output
    assert [text for text in yard.work.states if "key pair" in text or "group" in text]
    assert await yard.left() == []
    ec2.drop("web 1")


async def test_hcl_with_a_filter_and_blocks_and_what_boto3_finds_itself(
    yard: Yard, ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys come from the environment of whoever asks."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    yard.write(
        "t.pkr.hcl",
        f"""
        source "amazon-ebs" "web" {{
          region              = "{REGION}"
          custom_endpoint_ec2 = "{ec2.url}"
          instance_type       = "t3.micro"
          ami_name            = "web-2"
          ssh_username        = "{getpass.getuser()}"
          ssh_host            = "127.0.0.1"
          ssh_port            = {ec2.sshd.port}
          temporary_key_pair_type = "rsa"
          associate_public_ip_address = true
          source_ami_filter {{
            filters = {{ name = "base *" }}
            owners  = ["self"]
            most_recent = true
          }}
          tag {{
            key   = "Team"
            value = "shop"
          }}
          aws_polling {{
            delay_seconds = 1
            max_attempts  = 100
          }}
        }}
        build {{
          sources = ["amazon-ebs.web"]
          provisioner "shell" {{ inline = ["echo ${{build.ID}} from ${{build.SourceAMIName}}"] }}
        }}
        """,
    )
    (made,) = await yard.build("t.pkr.hcl")
    assert made.source == "amazon-ebs.web"
    assert b" from base 1" in yard.work.output
    assert {"Key": "Team", "Value": "shop"} in ec2.image("web-2")["Tags"]
    assert await yard.left() == []
    ec2.drop("web-2")


async def test_an_image_that_is_there_is_replaced_only_where_that_was_asked_for(
    yard: Yard, ec2: Ec2Server
) -> None:
    template(yard, ec2)
    await yard.build("t.json")
    first = ec2.image("web 1")["ImageId"]
    with pytest.raises(UsageError, match="there already"):
        await yard.build("t.json")
    assert await yard.left() == []
    await yard.build("t.json", request=Request(force=True))
    second = ec2.image("web 1")["ImageId"]
    template(yard, ec2, force_deregister=True, force_delete_snapshot=True)
    await yard.build("t.json")
    assert len({first, second, ec2.image("web 1")["ImageId"]}) == 3
    ec2.drop("web 1")
    # Without force_delete_snapshot what the first one consisted of stays, as with Packer.
    described = [{"Name": "description", "Values": [f"Created by CreateImage(*) for {first}"]}]
    (snapshot,) = ec2.client.describe_snapshots(Filters=described)["Snapshots"]
    ec2.client.delete_snapshot(SnapshotId=snapshot["SnapshotId"])


async def test_what_fails_leaves_nothing(yard: Yard, ec2: Ec2Server) -> None:
    before = ec2.objects()
    for more, error, said in (
        ({"source_ami": "ami-0123456789abcdef0"}, NotFoundError, "no image ami-0123"),
        ({"instance_type": "t3.micro", "subnet_id": "subnet-1"}, BoxwrightError, "refused"),
        ({}, BoxwrightError, "exit 7"),
    ):
        template(yard, ec2, "exit 7", **more)
        with pytest.raises(error, match=said):
            await yard.build("t.json")
        assert await yard.left() == []
        assert ec2.objects() == before


async def test_an_image_goes_where_a_later_post_processor_fails(yard: Yard, ec2: Ec2Server) -> None:
    whole = {"builders": [source(ec2)], "post-processors": [{"type": "compress", "output": "a.tar.gz"}]}
    yard.write("t.json", json.dumps(whole))
    with pytest.raises(BoxwrightError, match="nothing to compress"):
        await yard.build("t.json")
    assert known(ec2, "images"), "only undoing takes it back"
    assert await yard.left() == []


async def test_credentials_appear_nowhere(yard: Yard, ec2: Ec2Server) -> None:
    template(yard, ec2, f"echo the key is {SECRET}; echo {ACCESS}; exit 3")
    with pytest.raises(BoxwrightError) as caught:
        await yard.build("t.json", request=Request(on_error="abort"))
    problem = caught.value.problem
    facts = json.dumps([intent.facts for intent in yard.work.intents])
    said = f"{problem}{yard.work.output!r}{yard.work.notes}{facts}{list(yard.work.states)}"
    assert ACCESS not in said and SECRET not in said and "the key is <sensitive>" in said
    await undo.remove_kept(yard.locations.builds)
    assert await yard.left() == []
    assert not list(yard.locations.layers.glob("*.json"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"spot_price": "auto"}, "spot_price"),
        ({"ami_regions": ["us-east-1"]}, "ami_regions"),
        ({"source_ami_filter": {"filters": {}, "owners": ["self"]}}, "one of"),
        ({"source_ami": None, "source_ami_filter": {"filters": {"name": "*"}}}, "owners"),
        ({"ami_name": None}, "ami_name"),
        ({"region": None}, "region"),
        ({"secret_key": None}, "belong together"),
        ({"ssh_keypair_name": "mine"}, "ssh_private_key_file"),
        ({"temporary_key_pair_type": "dsa"}, "temporary_key_pair_type"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_what_cannot_work_is_said_before_anything_begins(
    yard: Yard, ec2: Ec2Server, more: dict[str, Any], said: str
) -> None:
    template(yard, ec2, **more)
    with pytest.raises(ConfigError, match=said):
        await yard.build("t.json")
    assert yard.work.intents == []


async def test_an_address_where_nobody_answers_is_named(yard: Yard, ec2: Ec2Server) -> None:
    template(yard, ec2, custom_endpoint_ec2="http://127.0.0.1:1", max_retries=1)
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1:1"):
        await yard.build("t.json")
    assert await yard.left() == []


STEPS = ("Make a key pair", "Make a security group", "Start the instance", "Wait for SSH", "Make the image")


async def test_cancelled_within_any_step(yard: Yard, ec2: Ec2Server) -> None:
    before = ec2.objects()
    template(yard, ec2, "true")
    for name in STEPS:
        building = asyncio.create_task(yard.build("t.json"))
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
            while name not in yard.work.states:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert known(ec2, "instances") == [], f"it is gone before cancelling in {name!r} returns"
        await yard.work.undo()
        assert ec2.objects() == before
        assert await yard.left() == []


async def killed(yard: Yard, ec2: Ec2Server, points: range) -> list[str]:
    """The names of all points; killed at each of ``points`` until all is made."""
    settings = {name: value for name, value in source(ec2).items() if name not in ("type", "name")}
    build = {"sources": ["source.amazon-ebs.web"], "provisioner": [{"shell": {"inline": ["true"]}}]}
    whole = {"source": {"amazon-ebs": {"web": settings}}, "build": build}
    yard.write("a.pkr.json", json.dumps(whole))
    home, before = yard.locations.data.parent, ec2.objects()
    names: list[str] = []
    for point in points:
        (home / "points").unlink(missing_ok=True)
        reached, name = await killed_at(home, ("tests.builds.killed_container", str(home)), point)
        names = (home / "points").read_text().splitlines()
        for kind, facts in unsettled(home / "intents.jsonl"):
            await {**SHARED, **undo.UNDO}[kind](facts)
        if "end Clean up" in names and known(ec2, "images") != before["images"]:
            ec2.drop("web 1")
        assert ec2.objects() == before, f"after a kill at point {point}, {name}"
        assert left(home) == []
        (home / "intents.jsonl").unlink(missing_ok=True)
        if not reached:
            break
    return names


async def test_killed_at_spread_points(yard: Yard, ec2: Ec2Server) -> None:
    names = await killed(yard, ec2, range(5, 1000, 6))
    assert names.count("intend build.amazon") == 5


@pytest.mark.slow
async def test_killed_at_each_point(yard: Yard, ec2: Ec2Server) -> None:
    await killed(yard, ec2, range(1, 1000))
