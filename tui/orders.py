"""From what was chosen, typed or filled in to a command for the engine: pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.commands import Argument, ArgumentKind, CommandSpec, Subject
from core.commands.line import command_line
from core.errors import UsageError
from core.model.command import Command
from tui.choice import Choice

Values = Mapping[str, Any]
"""By field: text, number as text, True or False, None, or a tuple of texts."""


def build(spec: CommandSpec, choice: Choice, values: Values, folder: str) -> Command:
    """Raises UsageError for what is missing or makes no sense. Paths are taken from ``folder`` on."""
    fields = {
        argument.field: _value(argument, values.get(argument.field), folder) for argument in spec.arguments
    }
    fields = {name: value for name, value in fields.items() if value is not _NOTHING}
    match spec.subject:
        case Subject.MACHINE if choice.machine is not None:
            fields["machine"] = choice.machine.key
        case Subject.BUILD if choice.build is not None:
            fields |= {"project": choice.project, "name": choice.build.name}
    assert spec.struct is not None
    try:
        command: Command = spec.struct(**fields)  # type: ignore[assignment]
    except TypeError as error:
        raise UsageError(f"{spec.title} needs more to go on.", why=str(error)) from error
    return command


def defaults(spec: CommandSpec, choice: Choice) -> dict[str, Any]:
    """What a form begins with."""
    values: dict[str, Any] = {}
    if spec.id == "box.remove" and choice.box is not None:
        key = choice.box.key
        values = {"name": key.name, "version": key.version, "provider": key.provider}
    if spec.id == "build.run":
        # Somebody is here, and sees at once that a step has failed.
        values = {"on_error": "ask"}
    return values


def missing(spec: CommandSpec, values: Values) -> list[Argument]:
    """Required arguments without a value."""
    return [argument for argument in spec.arguments if argument.required and not values.get(argument.field)]


def line_of(spec: CommandSpec, choice: Choice, values: Values, shown: str | None = None) -> str:
    """The equivalent command line, with the names of arguments that are still missing.

    Begun in the folder ``shown`` (where it is given), so that another project is named.
    """
    words = _line_of(spec, choice, values)
    foreign = shown is not None and bool(choice.machine or choice.build) and choice.project != shown
    if foreign and spec.subject in (Subject.MACHINE, Subject.BUILD):
        return words.replace("boxwright ", f"boxwright --project {shlex.quote(choice.project)} ", 1)
    return words


def _line_of(spec: CommandSpec, choice: Choice, values: Values) -> str:
    if spec.struct is None:
        words = ["boxwright", *spec.verb]
        if spec.subject is Subject.MACHINE and choice.machine is not None:
            words.append(choice.machine.name)
        return shlex.join(words)
    filled = {**values, **{argument.field: argument.metavar for argument in missing(spec, values)}}
    try:
        # Paths as they were typed: the shell knows its working directory.
        return command_line(build(spec, choice, filled, ""))
    except (UsageError, AttributeError):
        return f"boxwright {spec.name}"


_NOTHING = object()


def _value(argument: Argument, value: Any, folder: str) -> Any:
    if value is None or value == "":
        return _NOTHING
    match argument.kind:
        case ArgumentKind.NUMBER:
            if not str(value).isdecimal():
                raise UsageError(f"{argument.metavar or argument.field} must be a number, not {value!r}.")
            return int(value)
        case ArgumentKind.WORDS:
            return tuple(value.split()) if isinstance(value, str) else tuple(value)
        case ArgumentKind.LOCAL_PATH:
            return _absolute(str(value), folder)
        case ArgumentKind.SOURCE if _looks_local(str(value), folder):
            return _absolute(str(value), folder)
        case ArgumentKind.FLAG:
            return bool(value)
    return value


def _absolute(path: str, folder: str) -> str:
    return str(Path(folder) / Path(path).expanduser())


def _looks_local(text: str, folder: str) -> bool:
    """A box's source may be a name or a file: a file is what exists, or what can be nothing else."""
    return text.startswith(("./", "../", "~/", "/")) or (Path(folder) / text).is_file()
