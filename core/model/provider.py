"""What providers say of themselves."""

from __future__ import annotations

import enum

import msgspec


class Capability(enum.StrEnum):
    """What a provider can do beyond create, start, stop and destroy."""

    SUSPEND = "suspend"
    SNAPSHOT = "snapshot"
    SNAPSHOT_MEMORY = "snapshot with memory"
    CLONE = "clone"
    MIGRATE = "move while running"
    SERIAL = "serial console"
    STATS = "statistics"
    SCREEN = "screen"
    """Of a running machine, to be looked at by VNC at a private socket: the option ``display = "vnc"``."""
    PORTS = "forwarded ports"
    EXTRA_DISKS = "extra disks"
    NETWORKS = "private networks"
    RECOVER = "recovery after destroy"
    """All of a stopped machine lies in its folder: to keep that is to keep the machine."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a provider is usable here."""

    provider: str
    usable: bool
    version: str = ""
    why: str = ""
    """Where not usable: why. Where usable: anything worth knowing, e.g. the acceleration and its reason."""
    remedy: str = ""
    """The command that mends it; where usable: that mends what is missing for some things only."""
    capabilities: tuple[Capability, ...] = ()


def unusable(
    provider: str, capabilities: frozenset[Capability], why: str, remedy: str, version: str = ""
) -> Probe:
    """Not to be had here; its machines elsewhere can what they can."""
    return Probe(
        provider=provider,
        usable=False,
        version=version,
        why=why,
        remedy=remedy,
        capabilities=tuple(sorted(capabilities)),
    )
