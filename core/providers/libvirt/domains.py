"""Domains, as calls that block: each function takes a connection's handle and runs in a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ProviderError
from core.providers.libvirt import standstill
from core.providers.libvirt.definition import MARK, marked_id
from core.providers.libvirt.layout import domain_uuid
from core.providers.libvirt.library import bindings

CONTAINERS = "LXC"
"""What libvirt calls its driver of containers."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A domain as it is now."""

    uuid: str
    name: str
    number: int
    """Of its run; -1 where it does not run."""
    state: int
    reason: int
    saved: bool
    """Its memory is saved, for the next start."""

    @property
    def active(self) -> bool:
        return self.number >= 0


def all_rows(handle: Any) -> dict[str, Row]:
    """All domains of the hypervisor by UUID, in two calls."""
    libvirt = bindings()
    try:
        listed = handle.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise
        # The driver of containers has no calls for all of them.
        each = (_row_of(domain) for domain in handle.listAllDomains())
        return {row.uuid: row for row in each if row is not None}
    with_memory = handle.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
    saved = {domain.UUIDString() for domain in with_memory}
    rows = (
        Row(
            uuid=domain.UUIDString(),
            name=domain.name(),
            number=domain.ID(),
            state=values.get("state.state", 0),
            reason=values.get("state.reason", 0),
            saved=domain.UUIDString() in saved,
        )
        for domain, values in listed
    )
    return {row.uuid: row for row in rows}


def row(handle: Any, machine_id: str) -> Row | None:
    """One machine's domain, None where there is none."""
    domain = find(handle, machine_id)
    return None if domain is None else _row_of(domain)


def _row_of(domain: Any) -> Row | None:
    libvirt = bindings()
    try:
        state, reason = domain.state()
        if domain.connect().getType() == CONTAINERS and standstill.forgotten(domain, state):
            state = libvirt.VIR_DOMAIN_PAUSED
        saved = not domain.isActive() and _has_memory(domain)
    except libvirt.libvirtError as error:
        if _is_gone(error):
            return None
        raise
    # The number was learnt at the look-up; the state is newer.
    active = state not in (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_CRASHED)
    number = domain.ID() if active else -1
    return Row(
        uuid=domain.UUIDString(), name=domain.name(), number=number, state=state, reason=reason, saved=saved
    )


def _has_memory(domain: Any) -> bool:
    """Whether it has saved memory; drivers that cannot save any have none."""
    libvirt = bindings()
    try:
        return bool(domain.hasManagedSaveImage())
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise
        return False


def find(handle: Any, machine_id: str) -> Any:
    """The machine's domain, None where there is none; raises ProviderError for one that is not ours."""
    libvirt = bindings()
    try:
        domain = handle.lookupByUUIDString(domain_uuid(machine_id))
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, MARK, 0)
    except libvirt.libvirtError as error:
        if _is_gone(error):
            return None
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            raise
        text = ""
    if not text or marked_id(text) != machine_id:
        raise ProviderError(
            f"The domain {domain.name()!r} is not one of Boxwright's, and is left alone.",
            why=f"It has the machine's UUID ({domain_uuid(machine_id)}), but not its mark.",
            remedy="look at it with virsh dumpxml, and rename or undefine it yourself",
        )
    if handle.getType() == CONTAINERS:
        standstill.remind(domain)
    return domain


def needed(handle: Any, machine_id: str) -> Any:
    """The machine's domain; raises ProviderError where there is none."""
    domain = find(handle, machine_id)
    if domain is None:
        raise ProviderError("The machine's domain is gone.", remedy="boxwright destroy, then boxwright up")
    return domain


def define(handle: Any, machine_id: str, name: str, xml: str, autostart: bool) -> None:
    """Make the domain, or bring it up to date. Somebody else's domain of that name is never touched."""
    libvirt = bindings()
    find(handle, machine_id)
    try:
        handle.defineXML(xml).setAutostart(autostart)
    except libvirt.libvirtError as error:
        if "already exists with uuid" not in str(error) and "already defined with uuid" not in str(error):
            raise
        raise ProviderError(
            f"There is a domain {name!r} already, and it is somebody else's.",
            why=error.get_error_message(),
            remedy=f"virsh domrename {name} <another name>, then try again",
        ) from error


def create(handle: Any, machine_id: str) -> int:
    """Start it, from its saved memory where there is some; returns the number of this run."""
    domain = needed(handle, machine_id)
    domain.create()
    number: int = find(handle, machine_id).ID()
    return number


def end(handle: Any, machine_id: str) -> None:
    """Switch it off; one that does not run, or is not there, is no error."""
    domain = find(handle, machine_id)
    if domain is not None:
        _tolerant(domain.destroy)


def forget_memory(handle: Any, machine_id: str) -> None:
    """Remove the saved memory, if there is some."""
    domain = find(handle, machine_id)
    if domain is not None and _has_memory(domain):
        _tolerant(domain.managedSaveRemove, 0)


def remove(handle: Any, machine_id: str) -> None:
    """End it and make libvirt forget it, with saved memory and what is noted of snapshots."""
    libvirt = bindings()
    domain = find(handle, machine_id)
    if domain is None:
        return
    _tolerant(domain.destroy)
    flags = (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    )
    try:
        _tolerant(domain.undefineFlags, flags)
    except libvirt.libvirtError as error:
        if "unsupported flags" not in str(error):
            raise
        _tolerant(domain.undefine)


def pause(handle: Any, machine_id: str) -> None:
    """Let a guest stand still; QEMU writes out what it still holds of the disks."""
    needed(handle, machine_id).suspend()


def go_on(handle: Any, machine_id: str) -> bool:
    """Let a paused guest go on, one that is being saved too; whether it runs now."""
    libvirt = bindings()
    domain = find(handle, machine_id)
    if domain is None or not domain.isActive():
        return False
    with contextlib.suppress(libvirt.libvirtError):
        domain.abortJob()
    if domain.isActive() and domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
        _tolerant(domain.resume)
    return bool(domain.isActive())


def memory_or_guest(handle: Any, machine_id: str) -> None:
    """After a resumption that broke off: one whose saved memory is still there, and that did not go on yet,
    is ended, and stays suspended. Of one that runs, saved memory is old: it would ruin the disks."""
    libvirt = bindings()
    domain = find(handle, machine_id)
    if domain is None or not domain.isActive():
        return
    if domain.hasManagedSaveImage():
        if domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING:
            _tolerant(domain.destroy)
            return
        _tolerant(domain.managedSaveRemove, 0)
    go_on(handle, machine_id)


def monitor(handle: Any, machine_id: str, command: str) -> str:
    """Tell the guest's QEMU a command of its human monitor; returns its answer."""
    import libvirt_qemu

    bindings()
    answer: str = libvirt_qemu.qemuMonitorCommand(
        needed(handle, machine_id), command, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
    )
    return answer.strip()


def leases(handle: Any, names: tuple[str, ...]) -> dict[str, Mapping[str, str]]:
    """The addresses that networks have given away: by network, then by the card's own address."""
    libvirt = bindings()
    found: dict[str, Mapping[str, str]] = {}
    for name in names:
        try:
            given = handle.networkLookupByName(name).DHCPLeases()
        except libvirt.libvirtError:
            continue
        found[name] = {lease["mac"].lower(): lease["ipaddr"] for lease in given if lease.get("mac")}
    return found


def _tolerant(action: Any, *arguments: Any) -> None:
    """Do what may have been done, or may have become impossible, by itself."""
    libvirt = bindings()
    try:
        action(*arguments)
    except libvirt.libvirtError as error:
        if not _is_gone(error) and error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _is_gone(error: Any) -> bool:
    return bool(error.get_error_code() == bindings().VIR_ERR_NO_DOMAIN)
