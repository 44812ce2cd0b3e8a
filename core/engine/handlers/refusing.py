"""Commands that are refused at once, before anything is queued."""

from __future__ import annotations

from typing import Any

from core.commands import BY_ID
from core.engine.context import Context
from core.engine.handlers.destroying import nothing_left
from core.engine.handlers.naming import command_id
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model import command as commands
from core.model.machine import MachineKey, MachineState


def check(context: Context, command: Any) -> None:
    """Raise where the command cannot be done as things stand. A busy machine is no reason: it queues."""
    machine = getattr(command, "machine", None)
    if isinstance(machine, MachineKey):
        _check_machine(context, command, machine)
    elif isinstance(command, commands.RunBuild):
        _check_build(context, command)


def _check_machine(context: Context, command: Any, key: MachineKey) -> None:
    record = context.machines.get(key)
    if isinstance(command, commands.Recover):
        _check_recover(context, key)
        return
    try:
        project = context.projects.load(key.project)
    except BoxwrightError:
        # A created machine can be halted and destroyed whatever its project's file says by now.
        if record is None or isinstance(command, commands.Up | commands.Reload | commands.Provision):
            raise
    else:
        if record is None and key.name not in project.machines:
            known = ", ".join(project.machines) or "none"
            raise NotFoundError(
                f"The project {project.name!r} has no machine {key.name!r}.",
                why=f"Its machines: {known}.",
                remedy="boxwright status",
            )
    reason = BY_ID[command_id(command)].refusal(context.machines.view(key), None)
    if reason:
        state = context.machines.view(key).state
        again = "resume" if state is MachineState.SUSPENDED else "up"
        raise BoxwrightError(reason, remedy=f"boxwright {again} {key.name}")


def _check_recover(context: Context, key: MachineKey) -> None:
    """Its project's file may have lost it meanwhile, or be gone."""
    if context.machines.get(key) is not None:
        raise BoxwrightError(
            f"{key.name} is there: nothing can be brought back in its place.",
            remedy=f"boxwright destroy {key.name}",
        )
    if context.machines.kept.last(key) is None:
        raise nothing_left(key)


def _check_build(context: Context, command: commands.RunBuild) -> None:
    from core.builds.base import ON_ERROR

    if command.on_error not in ("", *ON_ERROR):
        raise UsageError(
            f"--on-error {command.on_error!r} is not known.", why=f"It is {', '.join(ON_ERROR)}."
        )
    if command.template:
        return
    project = context.projects.load(command.project)
    if command.name not in project.builds:
        known = ", ".join(project.builds) or "none"
        raise NotFoundError(
            f"The project {project.name!r} has no build {command.name!r}.", why=f"Its builds: {known}."
        )
