"""Host-only networks: one for each subnet, found or made."""

from __future__ import annotations

import contextlib
from typing import Any

from core.providers.virtualbox.worker.api import Api, Steps

MARK = "boxwright/networks"
"""Extra data of VirtualBox as a whole: names of the interfaces that were made here, separated by commas."""


def _interfaces(api: Api) -> list[Any]:
    wanted = api.constants.HostNetworkInterfaceType_HostOnly
    return [one for one in api.array(api.box.host, "networkInterfaces") if one.interfaceType == wanted]


def host_only(api: Api, address: str, mask: str) -> Steps:
    """Name of the host's interface with this address, made where there is none."""
    for known in _interfaces(api):
        if known.IPAddress == address and known.networkMask == mask:
            return known.name
    progress, made = _created(api.box.host.createHostOnlyNetworkInterface())
    yield progress
    _note(api, made.name, ours=True)
    try:
        made.enableStaticIPConfig(address, mask)
    except Exception:
        yield api.box.host.removeHostOnlyNetworkInterface(made.id)
        _note(api, made.name, ours=False)
        raise
    return made.name


def _created(returned: Any) -> tuple[Any, Any]:
    first, second = returned
    return (first, second) if hasattr(first, "resultCode") else (second, first)


def drop_unused(api: Api) -> Steps:
    """Remove the interfaces that were made here and that no machine is in any more; returns their names."""
    ours = set(filter(None, api.box.getExtraData(MARK).split(",")))
    if not ours:
        return []
    used = set()
    for machine in api.array(api.box, "machines"):
        if machine.accessible:
            used |= {machine.getNetworkAdapter(slot).hostOnlyInterface for slot in range(8)}
    gone = []
    for known in _interfaces(api):
        if known.name in ours - used:
            with contextlib.suppress(Exception):
                yield api.box.host.removeHostOnlyNetworkInterface(known.id)
                gone.append(known.name)
    for name in (*gone, *(ours - {known.name for known in _interfaces(api)})):
        _note(api, name, ours=False)
    return gone


def _note(api: Api, name: str, *, ours: bool) -> None:
    names = set(filter(None, api.box.getExtraData(MARK).split(",")))
    names = names | {name} if ours else names - {name}
    api.box.setExtraData(MARK, ",".join(sorted(names)))
