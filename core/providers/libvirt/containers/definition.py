"""A container's domain as libvirt's XML: pure, nothing is looked at or touched here."""

from __future__ import annotations

import shlex
from collections import Counter

from core.model.machine import MachinePlan
from core.providers.libvirt.cards import cards
from core.providers.libvirt.definition import add_ends, outlined
from core.providers.libvirt.element import add, text
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options

ROOT = "root"
"""Name of the folder in the machine's home that is the container's root."""

_PERIOD = 100_000
"""Microseconds of which the quota of processor time is a part."""


def build(name: str, plan: MachinePlan, options: Options, layout: Layout) -> str:
    """The whole domain. ``name``: what it is called now, be it by us or by somebody else."""
    domain = outlined("lxc", name, plan, options)
    cpus = options.cpus or plan.cpus
    add(domain, "vcpu", str(cpus), placement="static", cpuset=options.cpuset)
    tuning = add(domain, "cputune")
    if options.shares:
        add(tuning, "shares", str(options.shares))
    add(tuning, "period", str(_PERIOD))
    add(tuning, "quota", str(_PERIOD * cpus))
    system = add(domain, "os")
    add(system, "type", "exe", arch=plan.architecture)
    first, *rest = shlex.split(options.init or "/sbin/init")
    add(system, "init", first)
    for word in rest:
        add(system, "initarg", word)
    # Without a card a container would else be in the host's own network.
    add(add(domain, "features"), "privnet")
    add(domain, "clock", offset="utc")
    add_ends(domain)
    devices = add(domain, "devices")
    tree = add(devices, "filesystem", type="mount", accessmode="passthrough")
    add(tree, "source", dir=layout.home / ROOT)
    add(tree, "target", dir="/")
    own = {network.mac for network in plan.networks}
    numbers: Counter[str] = Counter()
    for card in cards(plan, options)[1:]:
        # The project's own are set up by the engine: what the guest does with "eth" is for the others.
        kind = "net" if card.mac in own else "eth"
        interface = add(devices, "interface", type=card.kind)
        add(interface, "mac", address=card.mac)
        if card.kind == "direct":
            add(interface, "source", dev=card.source, mode="bridge")
        else:
            add(interface, "source", **{card.kind: card.source})
        add(interface, "guest", dev=f"{kind}{numbers[kind]}")
        numbers[kind] += 1
    add(devices, "console", type="pty")
    return text(domain)
