"""How an instance is asked for, and where it is reached then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.builds.amazon.settings import AmazonSettings
from core.errors import BoxwrightError


def asked(given: AmazonSettings, image: str, key: str, groups: Sequence[str]) -> dict[str, Any]:
    """The arguments of ``run_instances`` that the settings decide."""
    network: dict[str, Any] = {"SecurityGroupIds": list(groups), "SubnetId": given.subnet_id}
    if given.associate_public_ip_address is not None:
        public = {"DeviceIndex": 0, "AssociatePublicIpAddress": given.associate_public_ip_address}
        own = {"SubnetId": given.subnet_id, "Groups": list(groups), "DeleteOnTermination": True}
        network = {"NetworkInterfaces": [{**public, **{k: v for k, v in own.items() if v}}]}
    found: dict[str, Any] = {
        "ImageId": image,
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceType": given.instance_type,
        "KeyName": key,
        "EbsOptimized": given.ebs_optimized,
        "InstanceInitiatedShutdownBehavior": given.shutdown_behavior,
        "BlockDeviceMappings": [one.as_asked() for one in given.launch_block_device_mappings],
        **network,
    }
    if given.iam_instance_profile:
        found["IamInstanceProfile"] = {"Name": given.iam_instance_profile}
    if given.availability_zone:
        found["Placement"] = {"AvailabilityZone": given.availability_zone}
    return {name: value for name, value in found.items() if value}


def address(about: Mapping[str, Any], interface: str) -> str:
    """Where the instance is reached. Raises BoxwrightError where it has no such address."""
    names = {
        "public_ip": "PublicIpAddress",
        "private_ip": "PrivateIpAddress",
        "public_dns": "PublicDnsName",
        "private_dns": "PrivateDnsName",
    }
    wanted = (names[interface],) if interface else ("PublicIpAddress", "PrivateIpAddress")
    for name in wanted:
        if about.get(name):
            return str(about[name])
    raise BoxwrightError(
        f"The instance has no {' or '.join(wanted)}.",
        remedy="associate_public_ip_address = true, or another ssh_interface",
    )
