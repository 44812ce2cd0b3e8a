"""Ways to a guest of Xen's: by the address that a network of libvirt's has given to it."""

from __future__ import annotations

import asyncio

from core.model.machine import MachinePlan
from core.providers.libvirt import domains
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.library import LibvirtError
from core.providers.libvirt.options import read_options
from core.providers.libvirt.relays import Streams, Way
from core.providers.libvirt.xen.definition import joined


def way(connection: Connection, plan: MachinePlan) -> Way:
    """Where the guest is, is asked with each connection: it may take another address at any time."""
    places = [(card.source, card.mac) for card in joined(plan, read_options(plan.options))]

    async def connect(port: int) -> Streams:
        try:
            leases = await connection.run(domains.leases, tuple(sorted({name for name, _ in places})))
        except LibvirtError as error:
            raise ConnectionRefusedError(str(error)) from error
        for name, mac in places:
            if found := leases.get(name, {}).get(mac):
                return await asyncio.open_connection(found, port)
        raise ConnectionRefusedError("the guest has no address yet")

    return connect
