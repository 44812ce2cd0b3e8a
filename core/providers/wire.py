"""Networks of machines without root: frames are datagrams to a multicast group on the loopback.

Whoever is in the network has joined the group: nobody has to be there first, and machines come and go.
Nothing leaves the loopback; what runs on this computer and knows the group could listen in.
"""

from __future__ import annotations

import hashlib
import socket

from core.providers.ports import LOOPBACK

FIRST_PORT, LAST_PORT = 30000, 32767


def group(name: str) -> str:
    """The address and port of a network, from its name: 27 bits, in the range for one's own host and site."""
    digest = hashlib.sha256(name.encode()).digest()
    port = FIRST_PORT + int.from_bytes(digest[2:6]) % (LAST_PORT - FIRST_PORT + 1)
    return f"239.255.{digest[0]}.{digest[1]}:{port}"


def trouble() -> str:
    """Why frames would not arrive on this computer, "" where they do: one is sent to try it."""
    address, _, port = group("boxwright doctor").partition(":")
    here = socket.inet_aton(LOOPBACK)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            wire.bind((address, int(port)))
            wire.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(address) + here)
            wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
            wire.settimeout(1.0)
            wire.sendto(b"boxwright", (address, int(port)))
            wire.recv(16)
    except OSError as error:
        return f"A datagram to a multicast group on the loopback does not arrive: {error}."
    return ""
