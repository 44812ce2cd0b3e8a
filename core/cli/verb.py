"""Finds the command that a command line means."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.cli.options import FLAGS, TAKES_VALUE
from core.commands import COMMANDS, CommandSpec, find
from core.errors import UsageError

HELP = CommandSpec(
    id="help", verb=("help",), title="Help", help="Show all commands, or all that one command takes."
)


class Found(msgspec.Struct, frozen=True):
    """A command, and the words of the command line without its verb."""

    spec: CommandSpec | None
    """None: no verb was given."""
    words: tuple[str, ...]
    group: str = ""
    """Where only the first word of several commands was given: that word."""


def find_verb(words: Sequence[str]) -> Found:
    """The command of the first words that are no options. Raises UsageError for an unknown one."""
    places = _places(words)
    if not places:
        return Found(None, tuple(words))
    first = words[places[0]]
    second = words[places[1]] if len(places) > 1 else ""
    if second and (spec := lookup(f"{first} {second}")):
        return Found(spec, _without(words, places[:2]))
    group = members(first)
    spec = lookup(first)
    if spec is not None and not (group and second and _misspelt(spec, second)):
        return Found(spec, _without(words, places[:1]))
    if group and not second:
        return Found(None, _without(words, places[:1]), group=first)
    if group:
        raise _unknown(f"{first} {second}", [one.name for one in group], f"boxwright help {first}")
    raise _unknown(first, names(), "boxwright help")


def lookup(text: str) -> CommandSpec | None:
    """The command of that verb or alias; ids are for keymaps, not for the command line."""
    if text == HELP.name:
        return HELP
    spec = find(text)
    return spec if spec is not None and (text == spec.name or text in spec.aliases) else None


def members(word: str) -> tuple[CommandSpec, ...]:
    """The commands whose verb is ``word`` and another word."""
    return tuple(spec for spec in COMMANDS if len(spec.verb) > 1 and spec.verb[0] == word)


def names() -> list[str]:
    """All first words and aliases."""
    found = {spec.verb[0] for spec in COMMANDS} | {HELP.name}
    found |= {alias for spec in COMMANDS for alias in spec.aliases}
    return sorted(found)


def _misspelt(spec: CommandSpec, second: str) -> bool:
    """``ops lst``: a command without arguments of its own cannot mean its second word."""
    return not spec.arguments and not second.startswith("-")


def _places(words: Sequence[str]) -> list[int]:
    """Where the first two words stand, with nothing but global options before and between."""
    places: list[int] = []
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("-") and word != "-":
            if word.partition("=")[0] not in FLAGS:
                break
            skip = word in TAKES_VALUE
        else:
            places.append(place)
            if len(places) == 2:
                break
    return places


def _without(words: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(word for place, word in enumerate(words) if place not in places)


def _unknown(text: str, known: Sequence[str], remedy: str) -> UsageError:
    from core.cli.suggestions import did_you_mean

    return UsageError(f"There is no command {text!r}.", why=did_you_mean(text, known), remedy=remedy)
