"""What went wrong in a transfer, told from what the guest's tools and the host's disk said."""

from __future__ import annotations

import errno

from core.guests import scripts
from core.guests.base import Ran
from core.guests.errors import TransferError


def guest_failure(what: str, ran: Ran, said: bytes) -> TransferError:
    text = said.decode("utf-8", "replace").strip()
    if ran.status == -1:
        return TransferError(
            f"{what}: the connection to the guest broke.",
            why="The transfer was cut; nothing was put in place.",
            remedy="boxwright status, to see whether the machine still runs; then try again",
        )
    why, remedy = f"The command in the guest ended with {ran.status}", ""
    if "No space left" in text:
        why, remedy = "The guest's disk is full", "free space in the guest: boxwright ssh"
    elif scripts.NO_TAR in text:
        why, remedy = (
            "The guest has no tar, which folders need",
            "install tar in the guest, or send single files",
        )
    elif "sudo" in text and ("password" in text or "not found" in text):
        why, remedy = "It needs root, and sudo does not allow that", "give the account passwordless sudo"
    elif "Permission denied" in text or "Read-only" in text:
        why, remedy = "The account may not do that", "choose a path that it may use, or do it as root"
    last = text.splitlines()[-1] if text else ""
    return TransferError(f"{what}.", why=f"{why}{': ' + last if last else ''}.", remedy=remedy)


def host_failure(what: str, error: OSError) -> TransferError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return TransferError(
        f"{what}: {'the disk is full' if full else error.strerror or error}.",
        why=f"{error.filename}: {error.strerror}" if error.filename else "",
        remedy="free space on the host, then try again" if full else "",
    )


def only_changed(ran: Ran, said: bytes) -> bool:
    """GNU tar ends with 1 where a file, say a log, grew while it was read: what is there is good."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return (
        ran.status == 1 and bool(lines) and all(line.endswith("file changed as we read it") for line in lines)
    )
