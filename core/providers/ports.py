"""Ports of the host: which are free, who holds one, which to take."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path

from core.errors import BoxwrightError, BusyError, ProviderError
from core.model.machine import Forward, MachinePlan, WantedPort

FIRST, LAST = 20000, 29999
"""Ports that are chosen freely come from here: below what systems give to outgoing connections."""

LOOPBACK = "127.0.0.1"

Taken = Set[tuple[str, int]]
"""Ports as (protocol, number)."""

_Usable = Callable[[str, int], bool]


class Claims:
    """Ports that a machine of this engine has chosen, from the choice until the hypervisor listens on them.

    Without it two machines that start at the same moment would choose the same.
    """

    def __init__(self) -> None:
        self._claimed: dict[tuple[str, int], str] = {}

    def claim(self, machine_id: str, forwards: Iterable[Forward]) -> None:
        for forward in forwards:
            self._claimed[forward.protocol, forward.host] = machine_id

    def release(self, machine_id: str) -> None:
        self._claimed = {port: owner for port, owner in self._claimed.items() if owner != machine_id}

    def free(self, machine_id: str, protocol: str, port: int) -> bool:
        return self._claimed.get((protocol, port), machine_id) == machine_id


def choose(
    plan: MachinePlan,
    claims: Claims,
    earlier: Iterable[Forward] = (),
    *,
    others: Taken = frozenset(),
    refused: frozenset[int] = frozenset(),
) -> tuple[Forward, ...]:
    """Host ports for all forwardings of the plan, claimed.

    ``earlier``: as they were when the machine last ran; taken again where free. ``others``: what other
    machines want to find free again. ``refused``: ports that seemed free and were not. Raises BusyError where
    a port may not be corrected and is in use.
    """
    before = {(forward.protocol, forward.guest, forward.name): forward for forward in earlier}
    chosen: list[Forward] = []
    taken: set[tuple[str, int]] = set()

    def usable(protocol: str, port: int) -> bool:
        return (
            port not in refused
            and (protocol, port) not in taken
            and claims.free(plan.id, protocol, port)
            and is_free(protocol, port)
        )

    # Ports that are named come first, so that a free choice does not take them away.
    for wanted in sorted(plan.ports, key=lambda port: (not port.host, port.auto_correct)):
        last = before.get((wanted.protocol, wanted.guest, wanted.name))
        port = _pick(plan, wanted, last, others, usable)
        moved = wanted.host if wanted.host and port != wanted.host else 0
        forward = Forward(wanted.guest, port, moved, wanted.protocol, wanted.name)
        taken.add((wanted.protocol, port))
        chosen.append(forward)
    order = {(wanted.protocol, wanted.guest, wanted.name): i for i, wanted in enumerate(plan.ports)}
    chosen.sort(key=lambda forward: order[forward.protocol, forward.guest, forward.name])
    claims.claim(plan.id, chosen)
    return tuple(chosen)


def _pick(plan: MachinePlan, wanted: WantedPort, last: Forward | None, others: Taken, usable: _Usable) -> int:
    protocol = wanted.protocol
    if wanted.host and usable(protocol, wanted.host):
        return wanted.host
    if wanted.host and not wanted.auto_correct:
        raise taken_error(wanted)
    if last and last.wanted == wanted.host and usable(protocol, last.host):
        return last.host
    start = wanted.host + 1 if wanted.host else _usual_place(plan.id)
    for port in _following(start):
        if (protocol, port) not in others and usable(protocol, port):
            return port
    raise ProviderError(
        f"No free port was found for the guest's port {wanted.guest}.",
        why=f"All ports from {start} on and from {FIRST} to {LAST} are in use.",
        remedy="boxwright halt for a machine that is not needed",
    )


def _usual_place(machine_id: str) -> int:
    """Where a machine begins to look: spread, and for each machine always the same."""
    return FIRST + int(machine_id, 16) % (LAST - FIRST + 1)


def _following(start: int) -> Iterator[int]:
    if FIRST <= start <= LAST:
        yield from range(start, LAST + 1)
        yield from range(FIRST, start)
    else:
        yield from range(start, min(start + 1000, 65536))
        yield from range(FIRST, LAST + 1)


def is_free(protocol: str, port: int) -> bool:
    """Whether a program could listen on the loopback's ``port`` now."""
    return _listen_error(protocol, port) == 0


def _listen_error(protocol: str, port: int) -> int:
    """Why not, as an error number; 0 where it could."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as trial:
        if protocol != "udp":
            # Connections of a listener that has gone do not count, and listeners still do.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
            if protocol != "udp":
                trial.listen(1)
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return 0


def taken_error(wanted: WantedPort) -> BoxwrightError:
    """Why the port that was asked for cannot be had, with its holder."""
    if _listen_error(wanted.protocol, wanted.host) in (errno.EACCES, errno.EPERM):
        return ProviderError(
            f"You may not listen on the host's port {wanted.host}.",
            why="Ports with low numbers are for the system administrator.",
            remedy=f"choose a host port from 1024 on for the guest's port {wanted.guest}",
        )
    who = holder(wanted.protocol, wanted.host)
    return BusyError(
        f"The host's port {wanted.host} ({wanted.protocol}) is in use.",
        why=f"{who} listens on it." if who else "Another program listens on it.",
        remedy=f"end that program, choose another host port for the guest's port {wanted.guest}, "
        "or allow auto_correct",
    )


def holder(protocol: str, port: int) -> str:
    """Who listens on ``port``, e.g. "nginx (process 812)"; "" where it cannot be seen."""
    sockets = _listening(protocol, port)
    if not sockets:
        return ""
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            descriptors = list((process / "fd").iterdir())
        except OSError:
            continue
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return f"{_name(process)} (process {process.name})"
    return ""


def _listening(protocol: str, port: int) -> set[str]:
    found: set[str] = set()
    state = "07" if protocol == "udp" else "0A"
    for table in (protocol, f"{protocol}6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == state and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _name(process: Path) -> str:
    """Of a QEMU process: with the name of its machine."""
    arguments = (process / "cmdline").read_bytes().split(b"\0")
    name = (process / "comm").read_text().strip()
    if b"-name" in arguments[:-1]:
        name += f" {arguments[arguments.index(b'-name') + 1].decode(errors='replace')!r}"
    return name
