"""Candidates for the word under the cursor: verbs, options, and the names of what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from core.cli.completion.names import Names
from core.cli.options import TAKES_VALUE
from core.cli.output import Output
from core.cli.own_arguments import MACHINE_LAST, ONE_MACHINE, OWN
from core.cli.verb import HELP, lookup, members
from core.commands import COMMANDS, Argument, ArgumentKind, CommandSpec, Subject

Candidate = tuple[str, str]
FILES: Candidate = (":files", "")
FOLDERS: Candidate = (":folders", "")

_GLOBAL: tuple[Candidate, ...] = (
    ("--project", "the project's folder"),
    ("--yes", "answer yes"),
    ("--json", "print JSON"),
    ("--verbose", "show details"),
    ("--quiet", "results and errors only"),
    ("--no-colour", "without colours"),
    ("--in-process", "run the engine within this command"),
    ("--debug", "show tracebacks"),
    ("--help", "show help"),
)


class _Before(msgspec.Struct, frozen=True):
    """What stands before the cursor."""

    spec: CommandSpec | None
    group: str
    words: tuple[str, ...]
    """Positional arguments so far."""
    option: Argument | None
    """The option whose value is being written."""
    project: str
    wants_project: bool


def print_candidates(words: Sequence[str], output: Output) -> int:
    """The hidden command ``__complete``: never fails, never starts an engine."""
    try:
        found = candidates(list(words) or [""])
    except Exception:
        # Whatever is wrong, it is not for the prompt of somebody who pressed tab.
        return 1
    for word, what in found:
        output.out.write(f"{word}\t{what}\n" if what else f"{word}\n")
    return 0


def candidates(words: Sequence[str], names: Names | None = None) -> list[Candidate]:
    """All that can stand for the last of ``words``, of which it may be the beginning."""
    *before, current = words
    state = _read(before)
    names = names or Names(state.project)
    if state.wants_project:
        found = [FOLDERS]
    elif state.option is not None:
        found = _values(state.option, state, names)
    elif current.startswith("-"):
        found = _flags(state.spec)
    elif state.group:
        found = [(spec.verb[1], spec.help) for spec in members(state.group)]
        found += _positional(state, names) if state.spec else []
    elif state.spec is None:
        found = [] if state.words else _verbs()
    else:
        found = _positional(state, names)
    return [one for one in found if one in (FILES, FOLDERS) or one[0].startswith(current)]


def _verbs() -> list[Candidate]:
    first: dict[str, str] = {}
    for spec in (*COMMANDS, HELP):
        several = [one.verb[1] for one in members(spec.verb[0])]
        first.setdefault(spec.verb[0], ", ".join(several) if several else spec.help)
    return list(first.items())


def _read(words: Sequence[str]) -> _Before:
    """The command so far. Unknown words are taken as arguments: tab is no place for errors."""
    spec: CommandSpec | None = None
    group = project = ""
    arguments: list[str] = []
    option: Argument | None = None
    wants_project = False
    for word in words:
        if option is not None:
            option = None
        elif wants_project:
            project, wants_project = word, False
        elif word in TAKES_VALUE:
            wants_project = True
        elif word.startswith("--project="):
            project = word.partition("=")[2]
        elif word.startswith("-") and word != "-":
            option = _option(spec, word)
        elif spec is None and not group and not arguments:
            spec = lookup(word)
            group = word if members(word) else ""
            arguments += [] if spec or group else [word]
        elif group and (deeper := lookup(f"{group} {word}")):
            spec, group = deeper, ""
        else:
            group = ""
            arguments.append(word)
    return _Before(spec, group, tuple(arguments), option, project, wants_project)


def _arguments(spec: CommandSpec | None) -> tuple[Argument, ...]:
    return (*spec.arguments, *OWN.get(spec.id, ())) if spec else ()


def _option(spec: CommandSpec | None, word: str) -> Argument | None:
    """The argument that an option begins, where a value follows it."""
    for argument in _arguments(spec):
        if word in argument.flags and argument.kind not in (ArgumentKind.FLAG, ArgumentKind.CHOICE):
            return argument
    return None


def _flags(spec: CommandSpec | None) -> list[Candidate]:
    own = [
        (flag, argument.help)
        for argument in _arguments(spec)
        for flag in argument.flags
        if flag.startswith("--")
    ]
    return own + list(_GLOBAL)


def _values(option: Argument, state: _Before, names: Names) -> list[Candidate]:
    if option.kind is ArgumentKind.LOCAL_PATH:
        return [FILES]
    known: dict[str, Callable[[], list[Candidate]]] = {
        "provider": names.providers,
        "only": lambda: names.provisioners(state.words),
        "template": names.templates,
        "version": lambda: names.versions(state.words[0] if state.words else ""),
    }
    give = known.get(option.field)
    return give() if give else []


def _positional(state: _Before, names: Names) -> list[Candidate]:
    spec, place = state.spec, len(state.words)
    assert spec is not None
    if spec.id in MACHINE_LAST:
        return _transfer(spec, place, names)
    if spec.id in ("snapshot.restore", "snapshot.delete"):
        return names.snapshots() + _left(names.machines(), state.words)
    if spec.subject is Subject.MACHINE or spec.id == "machine.status":
        return [] if spec.id in ONE_MACHINE and place else _left(names.machines(), state.words)
    if spec.subject is Subject.BUILD:
        return _left(names.builds(), state.words)
    if spec.subject is Subject.OPERATION:
        if spec.id != "operation.cancel" and place:
            return []
        return names.operations(running=spec.id == "operation.cancel") + (
            names.machines() if spec.id == "operation.logs" else []
        )
    return _others(spec, state.words, names)


def _transfer(spec: CommandSpec, place: int, names: Names) -> list[Candidate]:
    if place == 2:
        return names.machines()
    if place == (0 if spec.id == "machine.upload" else 1):
        return [FILES]
    return [(f"{name}:", "a path in this machine") for name, _ in names.machines()]


def _others(spec: CommandSpec, words: Sequence[str], names: Names) -> list[Candidate]:
    if spec.id in ("box.add", "box.import"):
        return [] if words else [FILES if spec.id == "box.add" else FOLDERS]
    if spec.id in ("box.show", "box.remove", "project.init"):
        return [] if words else names.boxes()
    if spec.id in ("box.list", "box.update", "box.prune", "box.verify"):
        return _left(names.boxes(), words)
    if spec.id == "completion":
        return [] if words else [(shell, "") for shell in ("bash", "zsh", "fish")]
    if spec.id == "help":
        return [(s.verb[1], s.help) for s in members(words[0])] if words else _verbs()
    return []


def _left(found: list[Candidate], words: Sequence[str]) -> list[Candidate]:
    """Without what stands there already."""
    return [one for one in found if one[0] not in words]
