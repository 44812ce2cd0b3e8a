"""Host keys: the first one seen is pinned, a changed one is refused.

The file is in OpenSSH's known_hosts format with ``*`` for the host, as it belongs to one machine
whatever port or address that has today.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import shlex
from pathlib import Path

from core.guests.errors import HostKeyChangedError

_MARK = "*"


def pinned(known_hosts: str | Path) -> tuple[tuple[str, bytes], ...]:
    """(algorithm, key blob) pairs of the file, () for a file that is absent, empty or "".

    Lines that are not keys (comments, damage, certificate markers) are passed over.
    """
    if not str(known_hosts):
        return ()
    try:
        data = Path(known_hosts).read_bytes()
    except FileNotFoundError:
        return ()
    found = []
    for line in data.splitlines():
        if not line.startswith((b"#", b"@")):
            key = parse_key(b" ".join(line.split()[1:]))
            if key is not None:
                found.append(key)
    return tuple(found)


def parse_key(line: bytes) -> tuple[str, bytes] | None:
    """(algorithm, key blob) of a public key's line, ``ssh-ed25519 AAAA... comment``; None for any other."""
    fields = line.split()
    key = _blob(fields[1]) if len(fields) > 1 else None
    return (fields[0].decode("ascii"), key[1]) if key is not None and key[0] == fields[0] else None


def _blob(text: bytes) -> tuple[bytes, bytes] | None:
    """(algorithm, blob) of a base64 key; a blob names its own algorithm at its beginning."""
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    length = int.from_bytes(blob[:4], "big")
    algorithm = blob[4 : 4 + length]
    if not 0 < length <= 64 or len(algorithm) < length or not algorithm.isascii():
        return None
    return algorithm, blob


def pin(known_hosts: str | Path, algorithm: str, blob: bytes) -> None:
    """Make this the one pinned key; written beside and renamed, mode 0600."""
    target = Path(known_hosts)
    text = f"{_MARK} {algorithm} {base64.b64encode(blob).decode('ascii')}\n"
    write_private(target, text.encode("ascii"))


def write_private(target: Path, data: bytes) -> None:
    """Put ``data`` into ``target`` in one step, readable by the user alone from the first byte on."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def fingerprint(blob: bytes) -> str:
    """As OpenSSH shows it: ``SHA256:...``."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return "SHA256:" + digest.rstrip("=")


def changed(known_hosts: str | Path, algorithm: str, blob: bytes) -> HostKeyChangedError:
    """The error for a guest whose key is not the pinned one."""
    known = ", ".join(f"{name} {fingerprint(key)}" for name, key in pinned(known_hosts))
    return HostKeyChangedError(
        "The guest's host key has changed; the connection was refused.",
        why=(
            f"Pinned is {known}; it now shows {algorithm} {fingerprint(blob)}. Either the guest was "
            "installed anew or made new host keys, or something else answers in its place."
        ),
        remedy=(
            "if the change is yours, forget the old key before the next 'boxwright up': "
            f"rm {shlex.quote(str(known_hosts))}"
        ),
    )
