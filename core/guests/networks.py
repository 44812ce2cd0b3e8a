"""A guest's addresses in the networks that it shares with other machines, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from core.guests.base import Guest
from core.guests.errors import GuestError
from core.guests.quoting import as_root, quote
from core.model.machine import PlannedNetwork

# Interfaces are found by their MAC: their names differ. What else would give them addresses (a DHCP client
# that asks on all interfaces) is told not to; a fresh interface may still be on its way.
_ADDRESS = """
address() {
  mac=$1 ip=$2 length=$3 dev= tries=0
  while [ -z "$dev" ] && [ $tries -lt 50 ]; do
    for card in /sys/class/net/*; do
      if [ "$(cat "$card/address" 2>/dev/null)" = "$mac" ]; then dev=${card##*/}; fi
    done
    [ -n "$dev" ] || { sleep 0.1; tries=$((tries + 1)); }
  done
  [ -n "$dev" ] || { echo "no interface has the MAC $mac" >&2; exit 1; }
  if command -v nmcli >/dev/null; then nmcli device set "$dev" managed no || :; fi
  if [ -d /run/systemd/netif ] && command -v networkctl >/dev/null; then
    mkdir -p /run/systemd/network
    file=/run/systemd/network/05-boxwright-$dev.network
    printf '[Match]\\nMACAddress=%s\\n[Network]\\nAddress=%s/%s\\n' "$mac" "$ip" "$length" >"$file.new"
    if ! cmp -s "$file.new" "$file"; then mv "$file.new" "$file"; networkctl reload || :; fi
    tries=0
    until has || [ $tries -ge 50 ]; do sleep 0.1; tries=$((tries + 1)); done
  fi
  for process in $(pidof udhcpc dhclient 2>/dev/null); do
    case " $( { tr '\\0' ' ' <"/proc/$process/cmdline"; } 2>/dev/null || :) " in
      *" $dev "*) kill "$process" 2>/dev/null || : ;;
    esac
  done
  ip link set "$dev" up
  has || { ip addr flush dev "$dev" scope global; ip addr add "$ip/$length" dev "$dev"; }
}
has() { ip -4 addr show dev "$dev" | grep -qF "inet $ip/$length"; }
"""

# Written in place: in containers /etc/hosts is a mount that cannot be replaced.
_NAMES = """
begin="# machines of this project, kept by boxwright"
end="# end of the machines of this project"
old=$(cat /etc/hosts 2>/dev/null || :)
new=$(printf '%s\\n' "$old" |
  awk -v b="$begin" -v e="$end" '$0 == b {skip = 1} !skip {print} $0 == e {skip = 0}')
if [ -n "$names" ]; then new=$(printf '%s\\n%s\\n%s\\n%s' "$new" "$begin" "$names" "$end"); fi
[ "$new" = "$old" ] || printf '%s\\n' "$new" >/etc/hosts
"""


async def join_networks(guest: Guest, networks: Sequence[PlannedNetwork]) -> None:
    """Give the guest's interfaces their addresses, until it stops. Nothing is done twice."""
    calls = "".join(
        f"address {network.mac} {network.address} {IPv4Network(network.subnet).prefixlen}\n"
        for network in networks
    )
    await _run(guest, f"set -e\n{_ADDRESS}{calls}", "set the guest's addresses in its networks")


async def name_neighbours(guest: Guest, neighbours: Mapping[str, str]) -> None:
    """Let these names mean these addresses in the guest, in place of those given before."""
    lines = "\n".join(f"{address} {name}" for name, address in sorted(neighbours.items()))
    await _run(guest, f"set -e\nnames={quote(lines)}\n{_NAMES}", "tell the guest the names of its neighbours")


async def _run(guest: Guest, script: str, purpose: str) -> None:
    said = bytearray()
    ran = await guest.run(as_root(script), stderr=lambda data: said.extend(data[:2000]), timeout=60)
    if ran.status != 0:
        text = bytes(said).decode("utf-8", "replace").strip()
        raise GuestError(
            f"Could not {purpose}.",
            why=text.splitlines()[-1] if text else f"The command ended with {ran.status}.",
            remedy="let the account become root without a password (sudo), or remove 'networks'",
        )
