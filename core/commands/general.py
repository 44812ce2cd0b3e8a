"""Commands on projects, operations and the engine: front ends do these themselves, with queries."""

from __future__ import annotations

from core.commands.spec import CommandSpec, Subject

GENERAL_COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        id="project.init",
        verb=("init",),
        title="New project",
        help="Write a boxwright.toml, for a box or from a template.",
    ),
    CommandSpec(
        id="project.validate",
        verb=("validate",),
        title="Validate",
        help="Check the project's file and name every mistake with its place.",
        subject=Subject.PROJECT,
        key="V",
    ),
    CommandSpec(
        id="operation.list",
        verb=("ops",),
        title="Operations",
        help="List operations, running and past, newest first.",
        key="O",
        aliases=("ops list",),
    ),
    CommandSpec(
        id="operation.show",
        verb=("ops", "show"),
        title="Show operation",
        help="Show an operation with its steps and how it ended.",
        subject=Subject.OPERATION,
    ),
    CommandSpec(
        id="operation.logs",
        verb=("logs",),
        title="Log",
        help="Print what an operation's steps wrote, and follow it.",
        subject=Subject.OPERATION,
        key="l",
    ),
    CommandSpec(
        id="operation.cancel",
        verb=("ops", "cancel"),
        title="Cancel",
        help="Cancel an operation; what it began is undone.",
        subject=Subject.OPERATION,
        key="x",
    ),
    CommandSpec(
        id="engine.status", verb=("engine", "status"), title="Engine", help="Show the engine's state."
    ),
    CommandSpec(
        id="engine.stop",
        verb=("engine", "stop"),
        title="Stop engine",
        help="Stop the engine; machines run on.",
        destructive=True,
    ),
    CommandSpec(
        id="engine.log", verb=("engine", "log"), title="Engine log", help="Print the engine's own log."
    ),
    CommandSpec(
        id="doctor",
        verb=("doctor",),
        title="Doctor",
        help="Say which providers work here, which do not, why, and what mends it.",
    ),
    CommandSpec(
        id="workbench",
        verb=("workbench",),
        title="Workbench",
        help="Open the workbench (as does no command at all).",
    ),
    CommandSpec(
        id="completion", verb=("completion",), title="Completion", help="Print a shell's completion script."
    ),
    CommandSpec(id="version", verb=("version",), title="Version", help="Print the version."),
)
