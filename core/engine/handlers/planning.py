"""From a machine's description to the plan that a provider carries out."""

from __future__ import annotations

import secrets
from pathlib import Path

from core.boxes import architecture
from core.engine.context import Context
from core.engine.handlers.addressing import plan_networks
from core.errors import ProviderError, UsageError
from core.model.box import Box
from core.model.machine import ExtraDisk, MachineKey, MachinePlan, WantedPort
from core.model.project import MachineSpec, Project, parse_size
from core.model.provider import Capability
from core.providers.base import Provider


async def choose_provider(context: Context, project: Project, name: str, wanted: str) -> tuple[Provider, str]:
    """The provider for a machine that is not created, and why this one.

    The first usable one of ``wanted`` (the user's word now), the machine's or the project's list;
    ``auto`` stands for all that are installed, QEMU first, as it needs no daemon. Raises ProviderError
    where none is usable.
    """
    choices = (wanted,) if wanted else project.providers_for(name)
    names: list[str] = []
    for choice in choices:
        names += _all_of(context) if choice == "auto" else [choice]
    passed_over: list[str] = []
    remedy = ""
    for candidate in dict.fromkeys(names):
        if candidate not in context.providers:
            passed_over.append(f"{candidate} is not installed")
            continue
        probe = await context.probe(candidate, project.machines[name].options(candidate))
        if probe.usable:
            reason = "asked for" if wanted or choices == (candidate,) else "first usable"
            return context.provider(candidate), "; ".join([f"{candidate}: {reason}", *passed_over])
        passed_over.append(f"{candidate} not usable: {probe.why.rstrip('.')}")
        remedy = remedy or probe.remedy
    raise ProviderError(
        f"No provider is usable for {name!r}.",
        why="; ".join(passed_over) + "." if passed_over else "No provider is installed.",
        remedy=remedy or "boxwright doctor",
    )


def _all_of(context: Context) -> list[str]:
    return sorted(context.providers, key=lambda name: (name != "qemu", name))


def new_id() -> str:
    """12 hexadecimal digits."""
    return secrets.token_hex(6)


def make_plan(
    context: Context,
    *,
    machine_id: str,
    key: MachineKey,
    project: Project,
    spec: MachineSpec,
    provider: Provider,
    box: Box | None,
) -> MachinePlan:
    """The plan for a machine as its project describes it now. Raises UsageError for wrong options."""
    options = spec.options(provider.name)
    provider.check(options)
    if spec.networks and Capability.NETWORKS not in provider.capabilities:
        raise UsageError(
            f"{provider.name} has no {Capability.NETWORKS}.",
            why=f"The machine {key.name!r} is to be in the network {spec.networks[0].name!r}.",
            remedy="choose another provider for it, or take its 'networks' away",
        )
    ssh = WantedPort(guest=spec.ssh.guest_port, host=spec.ssh.host_port, name="ssh")
    ports = tuple(
        WantedPort(
            guest=port.guest,
            host=port.host,
            protocol=port.protocol,
            name=port.name,
            auto_correct=port.auto_correct,
        )
        for port in spec.ports
    )
    return MachinePlan(
        id=machine_id,
        key=key,
        folder=str(context.locations.machine(machine_id)),
        runtime=str(context.locations.machine_runtime(machine_id)),
        disks=box.disks if box else (),
        box_name=box.key.name if box else "",
        box_version=box.key.version if box else "",
        box_files=box.files if box else {},
        box_metadata=box.metadata if box else {},
        firmware=box.firmware if box else "bios",
        architecture=architecture.hardware(box.key.architecture if box else spec.architecture),
        cpus=spec.cpus,
        memory=parse_size(spec.memory),
        extra_disks=tuple(ExtraDisk(name=disk.name, size=parse_size(disk.size)) for disk in spec.disks),
        ports=(ssh, *ports),
        networks=plan_networks(context, project, key, spec, machine_id),
        hostname=spec.hostname,
        halt_timeout=spec.halt_timeout,
        options=options,
    )


def private_folder(path: str) -> None:
    Path(path).mkdir(parents=True, exist_ok=True, mode=0o700)
