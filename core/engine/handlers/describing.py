"""What a created machine's project says of it."""

from __future__ import annotations

import re

import msgspec

from core.engine.context import Context
from core.engine.records import MachineRecord
from core.errors import BoxwrightError
from core.model.project import MachineSpec, Project

LAST_PORT = 65535


def spec_for(project: Project, record: MachineRecord) -> MachineSpec | None:
    """What the project says of the machine, or of the one that it is a copy of; None where it no longer
    says anything. What only one machine can have is the copy's own."""
    spec = project.machines.get(record.clone_of or record.key.name)
    if spec is None or not record.clone_of:
        return spec
    name = record.key.name
    return msgspec.structs.replace(
        spec,
        hostname=host_name(spec.hostname, name),
        ports=tuple(
            msgspec.structs.replace(port, host=shifted_port(port.host, name), auto_correct=True)
            for port in spec.ports
        ),
        ssh=msgspec.structs.replace(spec.ssh, host_port=shifted_port(spec.ssh.host_port, name)),
        networks=tuple(msgspec.structs.replace(network, address="") for network in spec.networks),
    )


def shifted_port(port: int, copy: str) -> int:
    """The host port of a copy: as far from its source's as its number from 1, e.g. 8081 for ``web-2``."""
    number = copy.rpartition("-")[2]
    moved = port + int(number) - 1 if port and number.isdecimal() else 0
    return moved if moved <= LAST_PORT else 0


def host_name(source: str, name: str) -> str:
    """The copy's, in the domain of its source."""
    label = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")
    _, dot, domain = source.partition(".")
    return f"{label}{dot}{domain}"


def spec_of(context: Context, record: MachineRecord) -> MachineSpec | None:
    """The same from the project as it is now; None also where it cannot be read."""
    try:
        return spec_for(context.projects.load(record.key.project), record)
    except BoxwrightError:
        return None
