"""Giving a guest its name."""

from __future__ import annotations

import re

from core.errors import UsageError
from core.guests.base import Guest
from core.guests.errors import GuestError
from core.guests.quoting import as_root, quote

_NAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\Z"
)

# /etc/hosts is written in place: in containers it is a mount that cannot be replaced.
_SCRIPT = """
set -e
full={full}
short=${{full%%.*}}
if [ "$(cat /proc/sys/kernel/hostname 2>/dev/null || hostname)" != "$short" ]; then
  if command -v hostnamectl >/dev/null && hostnamectl set-hostname "$short" 2>/dev/null; then :
  else hostname "$short"; fi
fi
[ "$(cat /etc/hostname 2>/dev/null)" = "$short" ] || echo "$short" >/etc/hostname
if [ "$full" = "$short" ]; then names=$short; else names="$full $short"; fi
line="127.0.1.1 $names"
if ! grep -qxF "$line" /etc/hosts 2>/dev/null; then
  new=$( (grep -v '^127[.]0[.]1[.]1[[:space:]]' /etc/hosts 2>/dev/null || :); echo "$line")
  printf '%s\\n' "$new" >/etc/hosts
fi
"""


def check_hostname(name: str) -> None:
    """Raises UsageError for what cannot be the name of a host."""
    if not _NAME.match(name) or len(name) > 253:
        raise UsageError(
            f"{name!r} cannot be the name of a host.",
            why="Letters, digits and '-' are allowed, and '.' between the parts of a longer name.",
            remedy="set another 'hostname' for the machine",
        )


async def set_hostname(guest: Guest, name: str) -> None:
    """Make ``name`` the guest's host name, now and at later starts; it resolves in the guest itself.

    Of ``web.example.org`` the host name is ``web``. Nothing is done twice. Raises UsageError, GuestError.
    """
    check_hostname(name)
    said = bytearray()
    ran = await guest.run(
        as_root(_SCRIPT.format(full=quote(name))), stderr=lambda data: said.extend(data[:2000]), timeout=60
    )
    if ran.status != 0:
        text = bytes(said).decode("utf-8", "replace").strip()
        raise GuestError(
            f"Could not set the guest's host name to {name!r}.",
            why=text.splitlines()[-1] if text else f"The command ended with {ran.status}.",
            remedy="let the account become root without a password (sudo), or remove 'hostname'",
        )
