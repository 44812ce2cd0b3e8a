"""Processors and memory of a machine's domain."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from core.model.machine import MachinePlan
from core.providers.libvirt import checks
from core.providers.libvirt.element import add, attributes_of
from core.providers.libvirt.options import Options, several

_MODES = ("host-passthrough", "host-model", "maximum")


def add_memory(domain: Element, plan: MachinePlan, options: Options) -> None:
    size = checks.memory_bytes(options) or plan.memory
    add(domain, "memory", str(max(1, size // 1024)), unit="KiB")
    backing = several(options.memorybacking)
    if backing:
        inside = add(domain, "memoryBacking")
        for each in backing:
            add(inside, each.name, **each.config)
    limits = several(options.memtune)
    if limits:
        inside = add(domain, "memtune")
        for limit in limits:
            add(inside, limit.type, str(limit.value), unit=limit.unit)


def add_processors(domain: Element, plan: MachinePlan, options: Options) -> None:
    add(domain, "vcpu", str(options.cpus or plan.cpus), cpuset=options.cpuset)
    if options.nodeset:
        add(add(domain, "numatune"), "memory", nodeset=options.nodeset)
    if options.cpuaffinitiy or options.shares:
        tune = add(domain, "cputune")
        if options.shares:
            add(tune, "shares", str(options.shares))
        for number, places in options.cpuaffinitiy.items():
            add(tune, "vcpupin", vcpu=number, cpuset=places)


def add_model(domain: Element, options: Options, *, kvm: bool) -> None:
    """The host's processor, or all that emulation can do, where nothing is said."""
    model = options.cpu_model or (options.cpu if options.cpu not in _MODES else "")
    mode = options.cpu_mode or (options.cpu if options.cpu in _MODES else "")
    if model:
        processor = add(domain, "cpu", mode="custom", match="exact")
        fallback = options.cpu_fallback if options.cpu_fallback != "allow" else ""
        add(processor, "model", model, fallback=fallback)
    else:
        processor = add(domain, "cpu", mode=mode or ("host-passthrough" if kvm else "maximum"))
    if options.cputopology:
        add(processor, "topology", **attributes_of(options.cputopology))
    features = several(options.cpu_feature)
    for feature in features:
        add(processor, "feature", policy=feature.policy, name=feature.name)
    if options.nested:
        for name in sorted({"vmx", "svm"} - {feature.name for feature in features}):
            add(processor, "feature", policy="optional", name=name)
    if options.numa_nodes:
        numa = add(processor, "numa")
        for number, cell in enumerate(options.numa_nodes):
            add(numa, "cell", id=number, **attributes_of(cell))
