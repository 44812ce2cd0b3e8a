"""A line of the prompt, understood as the command line would: pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core import amounts
from core.commands import COMMANDS, Argument, ArgumentKind, CommandSpec, Subject
from core.commands.names import is_pattern, matches
from core.errors import UsageError
from core.model.machine import Machine, MachineKey


class Typed(msgspec.Struct, frozen=True):
    """``machines`` and ``builds``: those that the line names; without any the chosen one is meant."""

    spec: CommandSpec
    values: dict[str, Any]
    machines: tuple[MachineKey, ...] = ()
    builds: tuple[str, ...] = ()
    yes: bool = False
    """Nothing is to be asked."""

    @property
    def machine(self) -> MachineKey | None:
        return self.machines[0] if self.machines else None


_YES = ("-y", "--yes")
_PRINTS = ("-v", "-vv", "-vvv", "--verbose", "-q", "--quiet", "--json", "--no-colour", "--no-color")
"""Options of every command on how it prints."""
_HERE = {"project.init": (Argument(field="box", metavar="BOX", help="the box, or a template"),)}
"""Arguments at the prompt of commands that the workbench carries out by itself."""


def parse(line: str, machines: Sequence[Machine], project: str = "", builds: Sequence[str] = ()) -> Typed:
    """A line such as ``snapshot save before`` or ``halt web db --force``. Raises UsageError.

    Names and patterns are of machines in the folder ``project``, "" for all projects, and of ``builds``.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError("The line cannot be read.", why=str(error)) from error
    spec, rest = _verb(words)
    named = _project_given(rest) if spec.subject is Subject.MACHINE else ""
    project = named or project
    known = [machine for machine in machines if not project or machine.key.project == project]
    values: dict[str, Any] = {}
    plain = [word for word in _plain(spec, rest, values) if word not in _YES]
    yes = not set(_YES).isdisjoint(words)
    positional = [argument for argument in (*spec.arguments, *_HERE.get(spec.id, ())) if not argument.flags]
    meant: list[MachineKey] = []
    chosen: list[str] = []
    others = False
    while plain:
        word = plain.pop(0)
        # Names of machines come before what else the command takes, or, of one, behind that.
        expected = not (meant or chosen or others) or len(plain) >= len(positional)
        keys = _machines(word, known) if spec.subject is Subject.MACHINE and expected else []
        named_builds = matches(word, builds) if spec.subject is Subject.BUILD and positional else ()
        if keys:
            meant += [key for key in keys if key not in meant]
        elif named_builds and expected:
            chosen += [name for name in named_builds if name not in chosen]
        elif positional:
            _positional(positional, word, values)
            others = True
        elif spec.subject is Subject.MACHINE:
            raise _no_machine(word, [machine.name for machine in known], project)
        elif spec.subject is Subject.BUILD and spec.struct is not None:
            chosen += [name for name in _builds(word, builds) if name not in chosen]
        else:
            raise UsageError(
                f"{spec.name} takes no argument {word!r}.", remedy="The palette (ctrl+p) shows its arguments."
            )
    if len(meant) > 1 and spec.struct is None:
        raise UsageError(f"{spec.name} takes one machine.", why="The workbench shows one at a time.")
    if named and not meant:
        raise UsageError("Name the machine that is meant.", why="The line names only a project.")
    return Typed(spec, values, tuple(meant), tuple(chosen), yes)


def _plain(spec: CommandSpec, rest: list[str], values: dict[str, Any]) -> list[str]:
    """The words that belong to no option; what options say goes into ``values``."""
    plain = []
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and len(word) > 1 and word not in _YES:
            _flag(spec, word, rest, values)
        else:
            plain.append(word)
    return plain


def _builds(word: str, builds: Sequence[str]) -> list[str]:
    found = matches(word, builds)
    if not found:
        known = amounts.listed(sorted(builds))
        raise UsageError(
            f"No build matches {word!r}." if is_pattern(word) else f"There is no build {word!r}.",
            why=f"Known are: {known}." if builds else "There are none.",
            remedy=f"A template is built from a shell: boxwright build {shlex.quote(word)}.",
        )
    return found


def _machines(word: str, known: Sequence[Machine]) -> list[MachineKey]:
    """Those that a name or a pattern means. Raises UsageError for a name that several projects have."""
    names = matches(word, [machine.name for machine in known])
    found = [machine.key for machine in known if machine.name in names]
    if len(found) > 1 and not is_pattern(word):
        raise UsageError(
            f"Several projects have a machine {word!r}.",
            why=f"They are: {', '.join(sorted(key.project for key in found))}.",
            remedy="Say which with --project FOLDER, or select it in the list and leave its name out.",
        )
    return found


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


def _no_machine(word: str, names: Sequence[str], project: str) -> UsageError:
    known = amounts.listed(sorted(set(names)))
    what = f"No machine matches {word!r}" if is_pattern(word) else f"There is no machine {word!r}"
    return UsageError(
        what + (f" in {project}." if project else "."),
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
    if argument is None and name in _PRINTS:
        raise UsageError(
            f"{name} says how a shell is to print what happens.",
            why="The workbench shows all of it: steps, output and what comes of it.",
            remedy=f"Leave {name} out.",
        )
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
        value: Any = given if equals else rest.pop(0)
        if argument.kind is ArgumentKind.WORDS:
            value = (*values.get(argument.field, ()), value)
        values[argument.field] = value


def _positional(positional: list[Argument], word: str, values: dict[str, Any]) -> None:
    argument = positional[0]
    if argument.kind is ArgumentKind.WORDS:
        values[argument.field] = (*values.get(argument.field, ()), word)
    else:
        values[argument.field] = word
        positional.pop(0)
