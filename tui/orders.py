"""From what was chosen, typed or filled in to a command for the engine: pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core import amounts
from core.commands import COMMANDS, Argument, ArgumentKind, CommandSpec, Subject
from core.commands.line import command_line
from core.errors import UsageError
from core.model.command import Command
from core.model.machine import Machine, MachineKey
from tui.choice import Choice

Values = Mapping[str, Any]
"""By field: text, number as text, True or False, None, or a tuple of texts."""


class Typed(msgspec.Struct, frozen=True):
    """A line of the prompt, understood."""

    spec: CommandSpec
    values: dict[str, Any]
    machine: MachineKey | None = None
    """Where the line names one; else the chosen machine is meant."""


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
    if spec.id in ("snapshot.restore", "snapshot.delete") and choice.machine is not None:
        names = [snapshot.name for snapshot in choice.machine.snapshots]
        current = next((snapshot.name for snapshot in choice.machine.snapshots if snapshot.current), "")
        values = {"name": current or (names[-1] if names else "")}
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
    foreign = shown is not None and choice.machine is not None and choice.project != shown
    if foreign and spec.subject is Subject.MACHINE:
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


_HERE = {"project.init": (Argument(field="box", metavar="BOX", help="the box, or a template"),)}
"""Arguments at the prompt of commands that the workbench carries out by itself."""


def parse(line: str, machines: Sequence[Machine], project: str = "") -> Typed:
    """A line such as ``snapshot save before`` or ``halt db --force``. Raises UsageError.

    Names are of machines in the folder ``project``, "" for all projects.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError("The line cannot be read.", why=str(error)) from error
    spec, rest = _verb(words)
    named = _project_given(rest) if spec.subject is Subject.MACHINE else ""
    project = named or project
    names = [machine.name for machine in machines if not project or machine.key.project == project]
    positional = [argument for argument in (*spec.arguments, *_HERE.get(spec.id, ())) if not argument.flags]
    machine: MachineKey | None = None
    values: dict[str, Any] = {}
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and len(word) > 1:
            _flag(spec, word, rest, values)
        elif spec.subject is Subject.MACHINE and machine is None and not values and word in names:
            machine = _machine(word, machines, project)
        elif positional:
            _positional(positional, word, values)
        elif spec.subject is Subject.MACHINE and machine is None:
            raise _no_machine(word, names, project)
        else:
            raise UsageError(
                f"{spec.name} takes no argument {word!r}.", remedy="The palette (ctrl+p) shows its arguments."
            )
    if named and machine is None:
        raise UsageError("Name the machine that is meant.", why="The line names only a project.")
    return Typed(spec, values, machine)


def _project_given(words: list[str]) -> str:
    """The folder after ``--project``, which is taken out of ``words``; "" without one."""
    for number, word in enumerate(words):
        name, equals, folder = word.partition("=")
        if name != "--project":
            continue
        if not equals and number + 1 < len(words):
            folder = words.pop(number + 1)
        if not folder:
            raise UsageError("--project needs a value.")
        del words[number]
        return str(Path(folder).expanduser().absolute())
    return ""


def _machine(name: str, machines: Sequence[Machine], project: str) -> MachineKey:
    found = [
        machine.key
        for machine in machines
        if machine.name == name and (not project or machine.key.project == project)
    ]
    if len(found) > 1:
        raise UsageError(
            f"Several projects have a machine {name!r}.",
            why=f"They are: {', '.join(sorted(key.project for key in found))}.",
            remedy="Say which with --project FOLDER, or select it in the list and leave its name out.",
        )
    return found[0]


def _no_machine(word: str, names: Sequence[str], project: str) -> UsageError:
    known = amounts.listed(sorted(set(names)))
    return UsageError(
        f"There is no machine {word!r}" + (f" in {project}." if project else "."),
        why=f"Known{f' in {project}' if project else ''} are: {known}." if names else "There are none.",
        remedy="P lists the machines of all projects." if project else "",
    )


def completions(text: str) -> list[CommandSpec]:
    """Commands whose verb, title or alias begins with (else holds) what was typed."""
    wanted = " ".join(text.lower().split())
    if not wanted:
        return list(COMMANDS)
    begin = [spec for spec in COMMANDS if any(name.startswith(wanted) for name in _names(spec))]
    return begin + [
        spec for spec in COMMANDS if spec not in begin and any(wanted in name for name in _names(spec))
    ]


def complete(text: str, machines: Sequence[str]) -> str:
    """The line with its last word completed: a verb, an option of the command, or a machine's name."""
    found = completions(text)
    if found and text and not text.endswith(" "):
        return f"{found[0].name} "
    words = text.split(" ")
    try:
        spec, _ = _verb([word for word in words if word])
    except UsageError:
        return text
    flags = [flag for argument in spec.arguments for flag in argument.flags if flag.startswith("--")]
    names = machines if spec.subject is Subject.MACHINE else ()
    known = flags if words[-1].startswith("-") else names
    fitting = [name for name in known if name.startswith(words[-1])]
    if not fitting or not words[-1]:
        return text
    return " ".join([*words[:-1], fitting[0], ""])


def _names(spec: CommandSpec) -> tuple[str, ...]:
    return (spec.name, spec.title.lower(), *spec.aliases)


def verb_of(words: list[str]) -> CommandSpec | None:
    """The command that a line begins with."""
    try:
        return _verb(words)[0]
    except UsageError:
        return None


def _verb(words: list[str]) -> tuple[CommandSpec, list[str]]:
    """The command with the longest verb that the words begin with."""
    best: tuple[CommandSpec, int] | None = None
    for spec in COMMANDS:
        for name in (spec.name, *spec.aliases):
            length = len(name.split())
            if words[:length] == name.split() and (best is None or length > best[1]):
                best = spec, length
    if best is None:
        close = completions(words[0] if words else "")
        what = f"There is no command {' '.join(words[:2])!r}." if words else "No command was typed."
        raise UsageError(
            what,
            remedy=f"Did you mean: {close[0].name}?" if words and close else "ctrl+p lists all commands.",
        )
    return best[0], words[best[1] :]


def _flag(spec: CommandSpec, word: str, rest: list[str], values: dict[str, Any]) -> None:
    name, equals, given = word.partition("=")
    argument = next((argument for argument in spec.arguments if name in argument.flags), None)
    if argument is None:
        known = ", ".join(flag for item in spec.arguments for flag in item.flags)
        raise UsageError(f"{spec.name} has no option {name}.", why=f"Known are: {known or 'none'}.")
    if argument.kind is ArgumentKind.FLAG:
        values[argument.field] = True
    elif argument.kind is ArgumentKind.CHOICE:
        values[argument.field] = name == argument.flags[0]
    else:
        if not equals and not rest:
            raise UsageError(f"{name} needs a value.")
        value = given if equals else rest.pop(0)
        if argument.kind is ArgumentKind.WORDS:
            value = (*values.get(argument.field, ()), value)  # type: ignore[assignment]
        values[argument.field] = value


def _positional(positional: list[Argument], word: str, values: dict[str, Any]) -> None:
    argument = positional[0]
    if argument.kind is ArgumentKind.WORDS:
        values[argument.field] = (*values.get(argument.field, ()), word)
    else:
        values[argument.field] = word
        positional.pop(0)


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
