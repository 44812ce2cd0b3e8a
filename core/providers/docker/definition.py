"""From a machine's plan to the container that Docker is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.model.machine import Forward, MachinePlan
from core.providers.docker import names
from core.providers.docker.options import Options, Volume, argv, read_volume

KEEPER = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"]
"""What runs in a machine whose image says nothing: it waits, and ends when it is told to."""

_SHELLS = ("sh", "bash", "ash", "dash", "zsh")

OWN = ("", "bridge")
"""Networks in which forwarded ports make sense, besides those that have a name."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    body: dict[str, Any]
    """As ``POST /containers/create`` takes it, without the image."""
    connections: dict[str, dict[str, Any]]
    """Networks to be connected to besides the one in ``body``, with the settings of each."""

    @property
    def digest(self) -> str:
        data = msgspec.json.encode([self.body, self.connections], order="deterministic")
        return hashlib.sha256(data).hexdigest()


def define(
    plan: MachinePlan,
    options: Options,
    ports: Sequence[Forward],
    *,
    runs: Mapping[str, Any],
    own_volumes: Mapping[str, str],
) -> Definition:
    """``runs``: what the image says about the program that is to run; where that is nothing, one that waits
    does. ``own_volumes``: by place in the container, volumes of the container that this one replaces."""
    keeper = not runs.get("Cmd") and not runs.get("Entrypoint")
    command = argv(options.command) or _box_command(plan) or (KEEPER if keeper else None)
    entrypoint = argv(options.entrypoint)
    body: dict[str, Any] = {
        "Labels": names.labels(plan),
        "Tty": options.tty,
        "OpenStdin": True,
        "Env": [f"{name}={value}" for name, value in sorted(options.environment.items())],
        "HostConfig": _host(plan, options, ports, own_volumes),
    }
    wanted: dict[str, Any] = {
        "Cmd": command,
        "Entrypoint": entrypoint,
        "User": options.user,
        "WorkingDir": options.workdir,
        "Hostname": "" if options.network == "host" else plan.hostname,
        "StopSignal": _stop_signal(command, entrypoint, runs),
    }
    body |= {name: value for name, value in wanted.items() if value}
    if ports:
        body["ExposedPorts"] = {_port(forward): {} for forward in ports}
    main = main_network(plan, options)
    if main == names.network(plan.key.project):
        body["NetworkingConfig"] = {"EndpointsConfig": {main: _endpoint(plan, options)}}
    connections = {
        network.name: {
            "Aliases": aliases(plan),
            **({"IPAMConfig": {"IPv4Address": network.address}} if network.address else {}),
        }
        for network in plan.networks
    }
    return Definition(body=body, connections=connections)


def _host(
    plan: MachinePlan, options: Options, ports: Sequence[Forward], own_volumes: Mapping[str, str]
) -> dict[str, Any]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for forward in ports:
        bindings.setdefault(_port(forward), []).append({"HostIp": "127.0.0.1", "HostPort": str(forward.host)})
    host: dict[str, Any] = {
        "Memory": plan.memory,
        "NanoCpus": plan.cpus * 1_000_000_000,
        "NetworkMode": main_network(plan, options),
        "PortBindings": bindings,
        "Privileged": options.privileged,
        "Binds": _binds(plan, options, own_volumes),
    }
    if options.cap_add:
        host["CapAdd"] = list(options.cap_add)
    if options.init:
        host["Init"] = True
    if options.links and main_network(plan, options) == "bridge":
        host["Links"] = _links(plan, options)
    return host


def _binds(plan: MachinePlan, options: Options, own_volumes: Mapping[str, str]) -> list[str]:
    binds = []
    for volume in map(read_volume, options.volumes):
        if volume.source:
            binds.append(":".join(filter(None, (_source(plan, volume), volume.target, volume.mode))))
        elif volume.target not in own_volumes:
            binds.append(volume.target)
    return [*binds, *(f"{name}:{place}" for place, name in sorted(own_volumes.items()))]


def _source(plan: MachinePlan, volume: Volume) -> str:
    if volume.named:
        return names.volume(plan.key.project, volume.source)
    return str((Path(plan.key.project) / Path(volume.source).expanduser()).resolve())


def _endpoint(plan: MachinePlan, options: Options) -> dict[str, Any]:
    endpoint: dict[str, Any] = {"Aliases": aliases(plan)}
    if options.links:
        endpoint["Links"] = _links(plan, options)
    return endpoint


def aliases(plan: MachinePlan) -> list[str]:
    """The names by which other machines of the project reach this one."""
    return list(dict.fromkeys(filter(None, (plan.key.name, plan.hostname))))


def _links(plan: MachinePlan, options: Options) -> list[str]:
    links = []
    for text in options.links:
        machine, _, alias = text.partition(":")
        other = names.container(msgspec.structs.replace(plan.key, name=machine))
        links.append(f"{other}:{alias or machine}")
    return links


def main_network(plan: MachinePlan, options: Options) -> str:
    """The one for the way out and for forwarded ports: the project's own, or what the options name."""
    return options.network or names.network(plan.key.project)


def forwards_ports(options: Options) -> bool:
    """A container in the host's network, or in none, has no ports of its own to forward."""
    return options.network not in ("host", "none") and not options.network.startswith("container:")


def _port(forward: Forward) -> str:
    return f"{forward.guest}/{forward.protocol}"


def _box_command(plan: MachinePlan) -> list[str] | None:
    """What a box wants to run, as its metadata say."""
    ours = plan.box_metadata.get("boxwright")
    command = ours.get("command") if isinstance(ours, dict) else None
    if isinstance(command, str):
        return argv(command)
    return [str(word) for word in command] if isinstance(command, list) and command else None


def _stop_signal(command: list[str] | None, entrypoint: list[str] | None, image: Mapping[str, Any]) -> str:
    """A shell that waits for input ignores every signal that asks it to end."""
    if image.get("StopSignal"):
        return ""
    words = [*(entrypoint or image.get("Entrypoint") or []), *(command or image.get("Cmd") or [])]
    return "SIGKILL" if len(words) == 1 and Path(words[0]).name in _SHELLS else ""
