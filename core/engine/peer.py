"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import socket
import struct
import sys

_LOCAL_PEERCRED = 1


def peer_uid(connection: socket.socket) -> int:
    """User id of the process that opened the connection, as the kernel says."""
    if sys.platform == "darwin":
        # struct xucred: version, uid, ...
        data = connection.getsockopt(0, _LOCAL_PEERCRED, 76)
        return int(struct.unpack("Ii", data[:8])[1])
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[1])
