"""The settings of the source "amazon-ebs": Packer's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from core.builds.amazon.unsupported import UNSUPPORTED
from core.builds.communicator import Communicator
from core.builds.settings import T, Table, decode
from core.errors import ConfigError
from core.templates.model import Settings

KEY_TYPES = ("ed25519", "rsa")
INTERFACES = ("", "public_ip", "private_ip", "public_dns", "private_dns")

_EBS = {
    "delete_on_termination": "DeleteOnTermination",
    "encrypted": "Encrypted",
    "iops": "Iops",
    "kms_key_id": "KmsKeyId",
    "snapshot_id": "SnapshotId",
    "throughput": "Throughput",
    "volume_size": "VolumeSize",
    "volume_type": "VolumeType",
}


class Tag(Table, frozen=True, kw_only=True):
    key: str
    value: str = ""


class SourceFilter(Table, frozen=True, kw_only=True):
    """Which image a build begins with, where it is not named."""

    filters: dict[str, str] = msgspec.field(default_factory=dict)
    owners: tuple[str, ...] = ()
    most_recent: bool = False
    include_deprecated: bool = False


class Polling(Table, frozen=True, kw_only=True):
    delay_seconds: float = 5.0
    max_attempts: int = 360


class BlockDevice(Table, frozen=True, kw_only=True):
    device_name: str
    delete_on_termination: bool = False
    encrypted: bool | None = None
    iops: int = 0
    kms_key_id: str = ""
    no_device: bool = False
    snapshot_id: str = ""
    throughput: int = 0
    virtual_name: str = ""
    volume_size: int = 0
    volume_type: str = ""

    def as_asked(self) -> dict[str, Any]:
        """As EC2 takes it."""
        if self.no_device:
            return {"DeviceName": self.device_name, "NoDevice": ""}
        if self.virtual_name.startswith("ephemeral"):
            return {"DeviceName": self.device_name, "VirtualName": self.virtual_name}
        ebs = {asked: getattr(self, name) for name, asked in _EBS.items()}
        meant = {name: value for name, value in ebs.items() if value or value is False}
        return {"DeviceName": self.device_name, "Ebs": meant}


class AmazonSettings(Communicator, frozen=True, kw_only=True):
    refused: ClassVar[Mapping[str, str]] = {**Communicator.refused, **UNSUPPORTED}
    not_needed: ClassVar[frozenset[str]] = Communicator.not_needed | {
        # A region is asked, not compared with a list; the first call shows whether the credentials are good;
        # boto3 asks this computer's metadata last, and for a second.
        "skip_region_validation", "skip_credential_validation", "skip_metadata_api_check",
        # An image has that of the one that it was made from.
        "ami_virtualization_type",
    }  # fmt: skip

    access_key: str = ""
    secret_key: str = ""
    token: str = ""
    profile: str = ""
    region: str = ""
    custom_endpoint_ec2: str = ""
    insecure_skip_tls_verify: bool = False
    max_retries: int = 0
    aws_polling: dict[str, Any] = msgspec.field(default_factory=dict)

    ami_name: str = ""
    ami_description: str = ""
    ami_block_device_mappings: tuple[BlockDevice, ...] = ()
    force_deregister: bool = False
    force_delete_snapshot: bool = False
    skip_create_ami: bool = False
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    tag: tuple[Tag, ...] = ()
    snapshot_tags: dict[str, str] = msgspec.field(default_factory=dict)
    snapshot_tag: tuple[Tag, ...] = ()

    source_ami: str = ""
    source_ami_filter: dict[str, Any] = msgspec.field(default_factory=dict)
    instance_type: str = ""
    associate_public_ip_address: bool | None = None
    availability_zone: str = ""
    disable_stop_instance: bool = False
    ebs_optimized: bool = False
    iam_instance_profile: str = ""
    launch_block_device_mappings: tuple[BlockDevice, ...] = ()
    run_tags: dict[str, str] = msgspec.field(default_factory=dict)
    run_tag: tuple[Tag, ...] = ()
    run_volume_tags: dict[str, str] = msgspec.field(default_factory=dict)
    run_volume_tag: tuple[Tag, ...] = ()
    security_group_id: str = ""
    security_group_ids: tuple[str, ...] = ()
    shutdown_behavior: str = "stop"
    ssh_interface: str = ""
    ssh_keypair_name: str = ""
    subnet_id: str = ""
    temporary_key_pair_name: str = ""
    temporary_key_pair_type: str = "ed25519"
    temporary_key_pair_bits: int = 0
    """Of "rsa"; 0: 3072."""
    temporary_security_group_source_cidrs: tuple[str, ...] = ("0.0.0.0/0",)
    user_data: str = ""
    user_data_file: str = ""
    vpc_id: str = ""

    @property
    def wanted(self) -> SourceFilter:
        return _nested(self.source_ami_filter, SourceFilter, "source_ami_filter")

    @property
    def polling(self) -> Polling:
        return _nested(self.aws_polling, Polling, "aws_polling")

    @property
    def groups(self) -> tuple[str, ...]:
        """Security groups that are there already."""
        return (*([self.security_group_id] if self.security_group_id else []), *self.security_group_ids)

    @property
    def makes_key(self) -> bool:
        """Whether the instance gets a key pair of this build alone."""
        return self.communicator == "ssh" and not (
            self.ssh_private_key_file or self.ssh_password or self.ssh_keypair_name
        )

    def tags_of(self, what: str) -> dict[str, str]:
        """``what``: "", "run", "run_volume" or "snapshot"; blocks go over the table."""
        start = f"{what}_" if what else ""
        blocks: tuple[Tag, ...] = getattr(self, f"{start}tag")
        return {**getattr(self, f"{start}tags"), **{one.key: one.value for one in blocks}}

    def check(self, *, needs_host: bool = False) -> None:
        """Raises ConfigError for what cannot work."""
        for name in ("region", "instance_type", *(() if self.skip_create_ami else ("ami_name",))):
            if not getattr(self, name):
                raise ConfigError(f'The source "amazon-ebs" needs "{name}".')
        if not self.skip_create_ami and not 3 <= len(self.ami_name) <= 128:
            raise ConfigError(f'"ami_name" has {len(self.ami_name)} characters; it has 3 to 128.')
        if bool(self.source_ami) == bool(self.source_ami_filter):
            raise ConfigError('The source "amazon-ebs" needs one of "source_ami" and "source_ami_filter".')
        if self.source_ami_filter and not self.wanted.owners:
            raise ConfigError(
                '"source_ami_filter" needs "owners".',
                why="Anybody can give an image any name; whose it is says whether it can be trusted.",
                remedy='owners = ["self"], "amazon", or the number of an account',
            )
        _ = self.polling
        if bool(self.access_key) != bool(self.secret_key):
            raise ConfigError('"access_key" and "secret_key" belong together.')
        for name, known in (
            ("temporary_key_pair_type", KEY_TYPES),
            ("ssh_interface", INTERFACES),
            ("shutdown_behavior", ("stop", "terminate")),
        ):
            if getattr(self, name) not in known:
                raise ConfigError(f'"{name}" is {getattr(self, name)!r}; it is one of {", ".join(known)}.')
        if self.ssh_keypair_name and not (self.ssh_private_key_file or self.ssh_password):
            raise ConfigError('"ssh_keypair_name" needs "ssh_private_key_file": the key is only there.')
        if self.user_data and self.user_data_file:
            raise ConfigError('The source takes "user_data" or "user_data_file", not both.')
        super().check()


def _nested(data: dict[str, Any], kind: type[T], name: str) -> T:
    return decode(data, kind, f'block "{name}"')


def read(settings: Settings) -> AmazonSettings:
    """Raises ConfigError, by their reasons for settings of Packer's that are not supported."""
    return decode(settings, AmazonSettings, 'source "amazon-ebs"')
