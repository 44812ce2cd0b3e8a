"""ssh and ssh-config: OpenSSH does the talking, where the guest is reached over SSH."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess

import msgspec

from core.cli.context import Context
from core.cli.selection import choose, one
from core.commands import CommandSpec
from core.errors import BoxwrightError, UsageError
from core.guests.openssh import split_extra, ssh_command
from core.guests.openssh import ssh_config as config_block
from core.model.machine import SSH, Endpoint, Machine, MachineState
from core.model.problem import ExitCode


def ssh(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Become ``ssh``: its exit status is the command's, its terminal is the user's."""
    if context.options.json and given.command is None:
        raise UsageError("A shell prints no JSON.", remedy="boxwright ssh --json -c COMMAND")
    machine = one(context, given.machines, "ssh")
    endpoint = reachable(machine)
    if endpoint.communicator != SSH:
        return _attached(context, machine, endpoint, given)
    if given.forward_agent:
        endpoint = msgspec.structs.replace(endpoint, forward_agent=True)
    words = ssh_command(endpoint, command=given.command, extra=given.rest)
    if shutil.which(words[0]) is None:
        raise BoxwrightError(
            "There is no OpenSSH client here.",
            why=f"No program {words[0]!r} is in PATH.",
            remedy="apt-get install openssh-client",
        )
    context.close()
    if context.options.json:
        return _captured(context, machine, words, given.command)
    context.output.flush()
    return os.execvp(words[0], words)


def _captured(context: Context, machine: Machine, words: list[str], command: str) -> int:
    ran = subprocess.run(words, capture_output=True, check=False)
    status = ran.returncode if ran.returncode >= 0 else 128 - ran.returncode
    return _document(context, machine, command, status, ran.stdout, ran.stderr)


def _document(
    context: Context, machine: Machine, command: str, status: int, stdout: bytes, stderr: bytes
) -> int:
    context.output.document(
        {
            "machine": machine.name,
            "command": command,
            "status": status,
            "stdout": stdout.decode(errors="replace"),
            "stderr": stderr.decode(errors="replace"),
        }
    )
    return status


def _attached(context: Context, machine: Machine, endpoint: Endpoint, given: argparse.Namespace) -> int:
    """Containers are entered by way of their provider, which knows nothing of options for ssh."""
    from core.cli.attached import attach, capture

    options, words = split_extra(given.rest)
    if options or given.forward_agent:
        said = " ".join(options) or "--forward-agent"
        raise UsageError(
            f"{machine.name} is not reached over SSH, so {said!r} means nothing here.",
            why=f"Its provider, {machine.provider}, runs commands in it.",
        )
    command = " ".join([*([given.command] if given.command is not None else []), *words]) or None
    context.close()
    if context.options.json:
        ran, stdout, stderr = capture(endpoint, command or "")
        return _document(context, machine, command or "", ran.status, stdout, stderr)
    context.output.flush()
    return attach(endpoint, command)


def reachable(machine: Machine) -> Endpoint:
    """Where the machine answers. Raises BoxwrightError, with the remedy, where it does not."""
    if machine.endpoint is not None:
        return machine.endpoint
    if machine.holder is not None:
        raise BoxwrightError(
            f"{machine.name} does not answer yet.",
            why=f"It is {machine.state}; operation {machine.holder.operation} ({machine.holder.action}) "
            "works on it.",
            remedy=f"boxwright logs -f {machine.holder.operation}",
        )
    verb = "resume" if machine.state is MachineState.SUSPENDED else "up"
    raise BoxwrightError(
        f"{machine.name} cannot be reached.",
        why=machine.trouble or f"It is {machine.state}.",
        remedy=f"boxwright {verb} {machine.name}",
    )


def ssh_config(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """A Host block for each machine that answers."""
    chosen = choose(context, given.machines, lambda machine: machine.endpoint is not None)
    if given.host and len(chosen.machines) > 1:
        raise UsageError("--host names one machine; several were chosen.")
    blocks: list[str] = []
    data = []
    for machine in chosen.machines:
        if machine.endpoint is None and machine.name not in chosen.named:
            continue
        endpoint = reachable(machine)
        if endpoint.communicator != SSH:
            context.output.note(f"{machine.name} is not reached over SSH, but through {machine.provider}.")
            continue
        alias = given.host or machine.name
        blocks += config_block(alias, endpoint).rstrip("\n").split("\n")
        blocks.append("")
        data.append({"host": alias, "machine": machine.name, "endpoint": msgspec.to_builtins(endpoint)})
    if not data:
        raise BoxwrightError("No machine of this project is running.", remedy="boxwright up")
    context.output.result({"hosts": data}, blocks[:-1])
    return ExitCode.DONE
