"""A command as one would type it."""

from __future__ import annotations

import shlex
from typing import Any

from core.commands.registry import BY_ID
from core.commands.spec import Argument, ArgumentKind, Subject


def command_line(command: Any) -> str:
    """The shell command that does the same, e.g. ``boxwright up web --provision``.

    ``command`` is one of :data:`core.model.command.Command`. The project is left out: the command
    line finds it from the working directory.
    """
    spec = BY_ID[str(type(command).__struct_config__.tag)]
    words = ["boxwright", *spec.verb]
    if spec.subject is Subject.MACHINE:
        words.append(command.machine.name)
    elif spec.subject is Subject.BUILD:
        words.append(command.name)
    for argument in spec.arguments:
        words += _words(argument, getattr(command, argument.field))
    return shlex.join(words)


def _words(argument: Argument, value: Any) -> list[str]:
    match argument.kind:
        case ArgumentKind.CHOICE:
            return [] if value is None else [argument.flags[0 if value else 1]]
        case ArgumentKind.FLAG:
            return [argument.flags[-1]] if value else []
        case ArgumentKind.WORDS:
            flag = argument.flags[-1:]
            if argument.secret:
                value = [f"{item.partition('=')[0]}=***" for item in value]
            return [word for item in value for word in (*flag, str(item))]
        case _:
            if not argument.flags:
                return [str(value)] if value or argument.required else []
            return [argument.flags[-1], str(value)] if value else []
