"""A simulated EC2 on loopback, asked over HTTP as the real one is; its guest is a real sshd.

Instances get their keys as cloud-init puts them there: the sshd accepts every key pair that is at EC2.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

import boto3
from moto.ec2.models import ec2_backends
from moto.server import ThreadedMotoServer

from tests.support.sshd import Sshd

REGION = "eu-west-1"
ACCOUNT = "123456789012"
ACCESS, SECRET = "AKIAEXAMPLEACCESS000", "secretkeythatnobodymaysee0000000000000000"


class Ec2Server:
    def __init__(self, sshd: Sshd) -> None:
        self.sshd = sshd
        # Amazon's own images are thousands, and looking through them takes seconds.
        os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self.url = "http://{}:{}".format(*self._server.get_host_and_port())
        self.client: Any = boto3.client(
            "ec2",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
        )
        self.source = self.client.register_image(Name="base 1")["ImageId"]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._put_keys, daemon=True)
        self._thread.start()

    def _put_keys(self) -> None:
        pairs = ec2_backends[ACCOUNT][REGION].key_pairs
        known: list[str] = []
        while not self._ended.wait(0.02):
            keys = [pair.public_key for pair in list(pairs.values())]
            if keys != known:
                self.sshd.authorize(*keys)
                known = keys

    def objects(self) -> dict[str, list[str]]:
        """What there is of each kind, apart from what every account has."""
        ask = self.client
        reservations = ask.describe_instances()["Reservations"]
        instances = [one for each in reservations for one in each["Instances"]]
        return {
            "instances": [one["InstanceId"] for one in instances if one["State"]["Name"] != "terminated"],
            "keys": [one["KeyName"] for one in ask.describe_key_pairs()["KeyPairs"]],
            "groups": [one["GroupId"] for one in ask.describe_security_groups()["SecurityGroups"]],
            "images": [one["ImageId"] for one in ask.describe_images(Owners=["self"])["Images"]],
            "snapshots": [
                one["SnapshotId"] for one in ask.describe_snapshots(OwnerIds=["self"])["Snapshots"]
            ],
            "volumes": [one["VolumeId"] for one in ask.describe_volumes()["Volumes"]],
        }

    def known(self, kind: str) -> list[str]:
        return self.objects()[kind]

    def image(self, name: str) -> dict[str, Any]:
        (found,) = self.client.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [name]}])[
            "Images"
        ]
        return dict(found)

    def drop(self, name: str) -> None:
        """Remove an image with what it consists of."""
        image = self.image(name)
        self.client.deregister_image(ImageId=image["ImageId"])
        for disk in image["BlockDeviceMappings"]:
            self.client.delete_snapshot(SnapshotId=disk["Ebs"]["SnapshotId"])

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._server.stop()
