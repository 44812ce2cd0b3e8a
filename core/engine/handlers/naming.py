"""What operations hold and how they are called."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import Any

from core.commands import BY_ID
from core.model import command as commands


def command_id(command: Any) -> str:
    """The id in the registry."""
    return str(type(command).__struct_config__.tag)


def subject(command: Any) -> str:
    """What the command holds while it runs: a machine, a box, a build, or nothing ("")."""
    match command:
        case commands.RunBuild():
            return build_subject(command.project, command.name)
        case commands.AddBox():
            return f"box:{command.name or command.source}"
        case commands.RemoveBox():
            return f"box:{command.name}"
        case commands.UpdateBox() | commands.PruneBoxes() | commands.ImportBoxes():
            return "box:*"
        case commands.VerifyBoxes() | commands.OutdatedBoxes() | commands.SearchBoxes():
            return ""
        case commands.AnswerBuild() | commands.PruneLayers() | commands.PruneDestroyed():
            # An answer must not wait for the build that waits for it.
            return ""
        case _:
            return str(command.machine)


def build_subject(project: str, name: str) -> str:
    return f"build:{project}:{name}"


def title(command: Any) -> str:
    """For people: the verb and what it is about, e.g. ``up web``."""
    verb = BY_ID[command_id(command)].name
    return f"{verb} {about}" if (about := _about(command)) else verb


def _about(command: Any) -> str:
    match command:
        case commands.RunBuild() | commands.RemoveBox():
            return str(command.name)
        case commands.AnswerBuild():
            return f"{command.name} {command.answer}"
        case commands.AddBox():
            return command.name or _short(command.source)
        case commands.UpdateBox() | commands.PruneBoxes() | commands.VerifyBoxes():
            return " ".join(command.names)
        case commands.SaveSnapshot() | commands.RestoreSnapshot() | commands.DeleteSnapshot():
            return f"{command.machine.name} {shlex.quote(command.name)}"
        case commands.SearchBoxes():
            return str(command.text)
        case (
            commands.OutdatedBoxes()
            | commands.ImportBoxes()
            | commands.PruneLayers()
            | commands.PruneDestroyed()
        ):
            return ""
        case _:
            return str(command.machine.name)


def _short(source: str) -> str:
    """The last part of a path or address; a catalogue's name as it is."""
    if source.startswith("/") or "://" in source:
        return PurePosixPath(source).name or source
    return source
