"""Networks of machines without root: frames are datagrams to a multicast group on the loopback.

Whoever is in the network has joined the group: nobody has to be there first, and machines come and go.
Nothing leaves the loopback; what runs on this computer and knows the group could listen in.
"""

from __future__ import annotations

import hashlib

FIRST_PORT, LAST_PORT = 30000, 32767


def group(name: str) -> str:
    """The address and port of a network, from its name: 27 bits, in the range for one's own host and site."""
    digest = hashlib.sha256(name.encode()).digest()
    port = FIRST_PORT + int.from_bytes(digest[2:6]) % (LAST_PORT - FIRST_PORT + 1)
    return f"239.255.{digest[0]}.{digest[1]}:{port}"
