"""A machine's network cards, in order: the one with the forwarded ports, then those in networks."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import msgspec

from core.model.machine import MachinePlan
from core.providers.libvirt import checks
from core.providers.libvirt.element import add
from core.providers.libvirt.options import Options


class Card(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    """``user``, ``network``, ``bridge`` or ``direct``."""
    source: str = ""
    """Name of the network, the bridge or the host's card."""
    mac: str
    model: str
    label: str = ""
    """What the project calls the network; "" for its name."""
    bus: str = ""
    slot: str = ""
    """Its place at the guest's PCI; "" for libvirt's choice."""
    iommu: bool = False


def mac(machine_id: str, card: int) -> str:
    """The address of a network card; ``card`` 0 is the one with the forwarded ports."""
    digits = f"{(int(machine_id, 16) + card * 0x9E3779) & 0xFFFFFF:06x}"
    return ":".join(("52", "54", "00", digits[:2], digits[2:4], digits[4:]))


def cards(plan: MachinePlan, options: Options) -> tuple[Card, ...]:
    model = options.nic_model_type
    found = [Card(kind="user", mac=mac(plan.id, 0), model=model)]
    for number, network in enumerate(options.networks, 1):
        usual = mac(plan.id, number)
        if isinstance(network, str):
            found.append(Card(kind="network", source=network, mac=usual, model=model))
            continue
        kind = "network" if network.network else "bridge" if network.bridge else "direct"
        source = network.network or network.bridge or network.device
        found.append(
            Card(kind=kind, source=source, mac=network.mac.lower() or usual, model=network.model or model)
        )
    if options.management_network:
        found.append(
            Card(
                kind="network",
                source=options.management_network,
                mac=options.management_network_mac.lower() or mac(plan.id, len(found)),
                model=model,
                bus=options.management_network_pci_bus,
                slot=options.management_network_pci_slot,
                iommu=options.management_network_driver_iommu,
            )
        )
    for own in plan.networks:
        found.append(Card(kind="network", source=own.name, mac=own.mac, model=model, label=own.label))
    return tuple(found)


def add_cards(devices: Element, plan: MachinePlan, options: Options) -> None:
    order = [name for name, _ in checks.boot_order(options)]
    networks = [name for device, name in checks.boot_order(options) if device == "network"]
    for number, card in enumerate(cards(plan, options)):
        interface = add(devices, "interface", type=card.kind)
        add(interface, "mac", address=card.mac)
        if card.kind == "direct":
            add(interface, "source", dev=card.source, mode="bridge")
        elif card.kind != "user":
            add(interface, "source", **{card.kind: card.source})
        add(interface, "model", type=card.model)
        if card.iommu:
            add(interface, "driver", iommu="on")
        boots = card.source in networks or (number == 0 and "" in networks)
        if boots:
            add(interface, "boot", order=order.index("network") + 1)
        else:
            # No boot from this network, so no ROM for it.
            add(interface, "rom", enabled="no")
        if card.bus or card.slot:
            add(
                interface,
                "address",
                type="pci",
                domain="0x0000",
                bus=card.bus,
                slot=card.slot,
                function="0x0",
            )
