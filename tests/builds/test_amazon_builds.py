"""Builds of AMIs, against a simulated EC2 and a real sshd: what comes of them, and what is left."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from core.builds import undo
from core.builds.base import Request
from core.errors import BoxwrightError, ConfigError, NotFoundError, ProviderError, UsageError
from tests.builds.amazon import source, template
from tests.builds.yard import Yard
from tests.support.ec2 import ACCESS, REGION, SECRET, Ec2Server
from tests.support.windows import Windows
from tests.support.wsman import WsmanServer

pytestmark = pytest.mark.real


@pytest.fixture
def yard(boxwright_home: Path) -> Yard:
    return Yard(boxwright_home)


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
    assert f"AMIs were created: {REGION}: {image['ImageId']}" in yard.work.notes
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
    assert ec2.known("images"), "only undoing takes it back"
    assert await yard.left() == []


async def test_windows_is_reached_over_winrm_at_its_own_port(yard: Yard, ec2: Ec2Server) -> None:
    windows = WsmanServer(Windows())
    login = {"winrm_username": windows.windows.user, "winrm_password": windows.windows.password}
    way = {"communicator": "winrm", "winrm_host": "127.0.0.1", "winrm_port": windows.port, **login}
    step = {"type": "powershell", "inline": ["Write-Output hello"]}
    ssh = {"ssh_host": None, "ssh_port": None, "ssh_username": None}
    yard.write("t.json", json.dumps({"builders": [source(ec2, **way, **ssh)], "provisioners": [step]}))
    await yard.build("t.json")
    windows.stop()
    assert b"hello" in yard.work.output
    assert not [text for text in yard.work.states if "key pair" in text]
    ec2.drop("web 1")


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
