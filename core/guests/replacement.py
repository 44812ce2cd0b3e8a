"""Replacing the well-known key of a fresh guest by the machine's own, without ever locking it out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.guests import insecure, keys
from core.guests.errors import ConnectionLostError, GuestError, KeyRefusedError
from core.guests.hostkeys import write_private
from core.guests.quoting import quote
from core.guests.remote import RemoteGuest
from core.guests.ssh import connect
from core.model.machine import Endpoint
from core.model.work import Work

PATIENCE = 30.0
"""Seconds for a login with the new key."""

# The file is changed beside its place and renamed into it, keeping owner and mode. It is on the guest's disk
# before anything relies on it: a machine that is killed in the next moment must still let us in.
_EDIT = """
set -e
umask 077
cd
mkdir -p .ssh
keys=.ssh/authorized_keys
[ -e "$keys" ] || : >"$keys"
if [ -L "$keys" ]; then keys=$(readlink -f "$keys"); fi
new=$keys.boxwright.$$
trap 'rm -f "$new"' EXIT
cp -p "$keys" "$new"
{edit}
sync "$new" 2>/dev/null || sync
mv -f "$new" "$keys"
sync "${{keys%/*}}" 2>/dev/null || sync
"""

_ADD = """
grep -qF {blob} "$keys" && exit 0
awk 1 "$keys" >"$new"
printf '%s\\n' {line} >>"$new"
"""

_REMOVE = """
grep -vF {patterns} "$keys" >"$new" || [ $? = 1 ]
"""


async def replace_key(
    guest: RemoteGuest, folder: str | Path, *, work: Work, unwanted: Sequence[str] = insecure.PUBLIC_KEYS
) -> RemoteGuest:
    """Let the guest accept the machine's own key and no longer the well-known ones, or those whose public
    lines are ``unwanted``; other keys stay.

    Returns a new connection that logged in with the own key (``guest`` is closed), its endpoint naming
    that key. First the own key is added, then a second connection proves that it works, and over that
    the well-known ones are removed: cut short anywhere, one of ``keys.login_identities`` still fits,
    and ``keys.is_insecure`` says of it that this is still to be done.
    Raises GuestError where the guest does not take the new key; it is then as it was.
    """
    path, line = keys.make_machine_key(folder, comment=f"boxwright {guest.endpoint.user}")
    write_private(keys.pending_mark(path), b"")
    await _edit(guest, _ADD.format(blob=quote(line.split()[1]), line=quote(line)), "add the new key")
    endpoint = msgspec.structs.replace(guest.endpoint, identity=str(path))
    try:
        fresh = await _log_in(endpoint, str(path))
    except (KeyRefusedError, ConnectionLostError) as error:
        raise GuestError(
            "The guest does not accept the machine's new key; the well-known one was left in place.",
            why=f"The key was put into ~/.ssh/authorized_keys of {endpoint.user!r}. {error.problem.why}",
            remedy="make the guest's sshd read ~/.ssh/authorized_keys, or set 'ssh.replace_key = false'",
        ) from error
    try:
        patterns = " ".join(f"-e {quote(public.split()[1])}" for public in unwanted)
        await _edit(fresh, _REMOVE.format(patterns=patterns), "remove the well-known key")
    except BaseException:
        await fresh.close()
        raise
    keys.pending_mark(path).unlink(missing_ok=True)
    await guest.close()
    work.note("key replaced")
    return fresh


async def _log_in(endpoint: Endpoint, identity: str) -> RemoteGuest:
    """A connection that is lost says nothing of the key: a busy server drops those that come while others
    are still half open."""
    now = asyncio.get_running_loop().time
    until = now() + PATIENCE
    while True:
        try:
            return await connect(endpoint, identities=(identity,))
        except ConnectionLostError:
            if now() > until:
                raise
        await asyncio.sleep(0.3)


async def _edit(guest: RemoteGuest, edit: str, purpose: str) -> None:
    said = bytearray()
    ran = await guest.run(
        f"sh -c {quote(_EDIT.format(edit=edit))}", stderr=lambda data: said.extend(data[:2000]), timeout=60
    )
    if ran.status != 0:
        raise GuestError(
            f"Could not {purpose} in the guest.",
            why=bytes(said).decode("utf-8", "replace").strip() or f"The command ended with {ran.status}.",
            remedy="look at ~/.ssh/authorized_keys in the guest, or set 'ssh.replace_key = false'",
        )
