"""Templates of AMIs for tests."""

from __future__ import annotations

import getpass
import json
from typing import Any

from tests.builds.yard import Yard
from tests.support.ec2 import ACCESS, REGION, SECRET, Ec2Server


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
