"""What a copied guest must have for itself: host keys, machine id, random seed."""

from __future__ import annotations

from core.guests.base import Guest
from core.guests.errors import GuestError
from core.guests.hostkeys import parse_key
from core.guests.quoting import as_root

# Each key is made beside its place; afterwards the server is told. Sessions that are open stay.
_SCRIPT = """
set -e
again=
for key in /etc/ssh/ssh_host_*_key; do
  [ -e "$key" ] || continue
  type=${key#/etc/ssh/ssh_host_}; type=${type%_key}
  if [ "$type" = dsa ]; then rm -f "$key" "$key.pub"; continue; fi
  rm -f "$key.new" "$key.new.pub"
  ssh-keygen -q -N '' -t "$type" -f "$key.new"
  mv "$key.new.pub" "$key.pub"; mv "$key.new" "$key"; cat "$key.pub"
  again=openssh
done
for key in /etc/dropbear/dropbear_*_host_key; do
  [ -e "$key" ] || continue
  type=${key#/etc/dropbear/dropbear_}; type=${type%_host_key}
  rm -f "$key.new"
  dropbearkey -t "$type" -f "$key.new" >/dev/null 2>&1
  mv "$key.new" "$key"
  dropbearkey -y -f "$key" | grep '^[a-z0-9-]* AAAA'
  again=${again:-dropbear}
done
if [ -e /etc/machine-id ]; then
  tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
  if [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then
    cat /etc/machine-id >/var/lib/dbus/machine-id
  fi
fi
rm -f /var/lib/systemd/random-seed /var/lib/dhcp/*.leases
sync
if [ -d /run/systemd/system ]; then
  for unit in ssh sshd dropbear; do
    if systemctl -q is-active $unit 2>/dev/null; then systemctl restart $unit; again=; fi
  done
fi
case $again in
  openssh)
    if [ -s /run/sshd.pid ]; then kill -HUP "$(cat /run/sshd.pid)"
    elif command -v rc-service >/dev/null; then rc-service sshd restart >/dev/null
    else pkill -HUP -o -x sshd || :; fi ;;
  dropbear)
    kill "$(cat /run/dropbear.pid /var/run/dropbear.pid 2>/dev/null | head -n 1)"
    for start in /etc/init.d/ssh /etc/init.d/dropbear; do [ -x $start ] && break; done
    rm -f /run/dropbear.pid
    setsid "$start" </dev/null >/dev/null 2>&1 &
    tries=0
    until [ -s /run/dropbear.pid ] || [ $tries -ge 100 ]; do sleep 0.1; tries=$((tries + 1)); done ;;
esac
"""

_TIMEOUT = 300.0
"""Seconds; an RSA key takes half a minute where processors are emulated."""


async def renew_identity(guest: Guest) -> tuple[tuple[str, bytes], ...]:
    """Replace what the guest shares with the one that it was copied from.

    Returns its new host keys as (algorithm, blob), best first; () where it has no SSH server. Raises
    GuestError; it can be done again then.
    """
    output, said = bytearray(), bytearray()
    ran = await guest.run(
        as_root(_SCRIPT),
        stdout=output.extend,
        stderr=lambda data: said.extend(data[:2000]),
        timeout=_TIMEOUT,
    )
    if ran.status != 0:
        text = bytes(said).decode("utf-8", "replace").strip()
        raise GuestError(
            "The copy could not be given an identity of its own.",
            why=text.splitlines()[-1] if text else f"The command ended with {ran.status}.",
            remedy="let the account become root without a password (sudo), then boxwright up once more",
        )
    keys = [key for line in bytes(output).splitlines() if (key := parse_key(line)) is not None]
    return tuple(sorted(keys, key=lambda key: key[0] != "ssh-ed25519"))
