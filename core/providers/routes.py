"""Which ranges of addresses the host uses itself."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Network
from pathlib import Path

_TABLE = Path("/proc/net/route")


def ranges(table: Path = _TABLE) -> frozenset[IPv4Network]:
    """Of all interfaces and routes but the default one; empty where the system does not tell."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return frozenset()
    found = set()
    for fields in map(str.split, lines):
        if len(fields) > 7:
            target, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[at], 16))) for at in (1, 7))
            if mask != "0.0.0.0":
                found.add(IPv4Network(f"{target}/{mask}", strict=False))
    return frozenset(found)
