"""What an instance is to look like: from the plan to LXD's configuration keys and devices."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Sequence

import msgspec

from core.model.machine import ExtraDisk, Forward, MachinePlan
from core.providers.lxd.instances import APPLIED, BY, ID, MACHINE, PROJECT, SELF, Row
from core.providers.lxd.options import RESERVED, Options, text
from core.providers.ports import LOOPBACK

Config = dict[str, str]
Devices = dict[str, dict[str, str]]

PORT = f"{RESERVED}port"


class Wanted(msgspec.Struct, frozen=True):
    config: Config
    devices: Devices
    profiles: list[str]


def build(plan: MachinePlan, options: Options, pool: str) -> Wanted:
    """All but the forwarded ports. ``pool``: of the extra disks."""
    config = {
        "limits.cpu": str(plan.cpus),
        "limits.memory": f"{plan.memory}B",
        **{key: text(value) for key, value in options.config.items()},
    }
    devices: Devices = {}
    if options.pool:
        devices["root"] = {"type": "disk", "path": "/", "pool": options.pool}
    if options.network:
        devices["eth0"] = {"type": "nic", "name": "eth0", "network": options.network}
    for number, network in enumerate(plan.networks):
        card = {"type": "nic", "name": card_name(number), "network": network.name, "hwaddr": network.mac}
        if network.address:
            card["ipv4.address"] = network.address
        devices[f"{RESERVED}net{number}"] = card
    for number, disk in enumerate(plan.extra_disks):
        devices[f"{RESERVED}disk{number}"] = {
            "type": "disk",
            "pool": pool,
            "source": volume_name(plan, disk),
            "path": mount_point(disk),
        }
    for name, device in options.devices.items():
        devices[name] = {key: text(value) for key, value in device.items()}
    names = sorted([*config, *devices])
    marks = {
        BY: SELF,
        ID: plan.id,
        MACHINE: plan.key.name,
        PROJECT: plan.key.project,
        APPLIED: json.dumps(names),
    }
    return Wanted({**config, **marks}, devices, list(options.profiles))


def onto(row: Row, wanted: Wanted, ports: Devices) -> Wanted:
    """``wanted`` on top of what the instance has: what the project no longer names goes, the rest stays."""
    try:
        applied = set(json.loads(row.config.get(APPLIED, "[]")))
    except ValueError:
        applied = set()
    config = {key: value for key, value in row.config.items() if key not in applied}
    devices = {
        name: device
        for name, device in row.devices.items()
        if name not in applied and not name.startswith(RESERVED)
    }
    return Wanted({**config, **wanted.config}, {**devices, **wanted.devices, **ports}, wanted.profiles)


def port_devices(ports: Sequence[Forward]) -> Devices:
    """Each forwarded port is a small program of the server's: it listens on the server's loopback."""
    return {
        f"{PORT}{number}": {
            "type": "proxy",
            "listen": f"{port.protocol}:{LOOPBACK}:{port.host}",
            "connect": f"{port.protocol}:{LOOPBACK}:{port.guest}",
            "bind": "host",
        }
        for number, port in enumerate(ports)
    }


def card_name(number: int) -> str:
    """Of the card in the plan's network of that number: eth0 is the one that every machine has."""
    return f"eth{number + 1}"


def volume_name(plan: MachinePlan, disk: ExtraDisk) -> str:
    return f"boxwright-{plan.id}-{_word(disk.name)}"


def mount_point(disk: ExtraDisk) -> str:
    """Where the container finds an extra disk."""
    return f"/mnt/{_word(disk.name)}"


def _word(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "disk"


def gateway(subnet: str) -> str:
    """The host's own address in a network, with prefix."""
    network = ipaddress.ip_network(subnet, strict=False)
    return f"{network[1]}/{network.prefixlen}"
