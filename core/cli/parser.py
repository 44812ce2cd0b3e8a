"""A parser for one command, made from the registry."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from core.cli.options import add_global_options
from core.cli.own_arguments import MACHINE_LAST, ONE_MACHINE, OWN, TAKES_REST
from core.cli.suggestions import did_you_mean
from core.commands import Argument, ArgumentKind, CommandSpec, Subject
from core.errors import UsageError

_SUBJECT_HELP = "names or patterns ('web*', '/regex/')"


class CommandParser(argparse.ArgumentParser):
    """Raises UsageError instead of ending the program."""

    def __init__(self, spec: CommandSpec | None) -> None:
        super().__init__(
            prog=f"boxwright {spec.name}" if spec else "boxwright",
            description=_description(spec) if spec else None,
            add_help=False,
            allow_abbrev=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32),
        )
        self._name = spec.name if spec else ""

    def error(self, message: str) -> NoReturn:
        asked = f"boxwright {self._name} --help" if self._name else "boxwright help"
        raise UsageError(_plain(message), why=self._meant(message), remedy=asked)

    def _meant(self, message: str) -> str:
        """What the first option that is not understood may have been."""
        found = re.search(r"unrecognized arguments: (?:.* )?(--[^\s=]+)", message)
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        return did_you_mean(found[1], known) if found else ""


def parser_for(spec: CommandSpec) -> CommandParser:
    """The parser of one command: its arguments, its subject, the global options."""
    parser = CommandParser(spec)
    # Tall terminals of help aside, the order of positional arguments is their order on the command line.
    if spec.id not in MACHINE_LAST:
        _add_subject(parser, spec)
    for argument in (*spec.arguments, *OWN.get(spec.id, ())):
        _add(parser, argument)
    if spec.id in MACHINE_LAST:
        _add_subject(parser, spec)
    if spec.id in TAKES_REST:
        parser.epilog = "What comes after -- is handed to OpenSSH as it is."
    add_global_options(parser)
    return parser


def parse(spec: CommandSpec, words: Sequence[str]) -> argparse.Namespace:
    """Parse what was written besides the verb. Adds ``rest``: what came after ``--``, where the
    command hands that on. Raises UsageError."""
    words = list(words)
    rest: list[str] = []
    if spec.id in TAKES_REST and "--" in words:
        cut = words.index("--")
        words, rest = words[:cut], words[cut + 1 :]
    parser = parser_for(spec)
    if any(word in ("-h", "--help") for word in _before_dashes(words)):
        # What is missing does not matter to somebody who asks for help.
        return argparse.Namespace(help=True, json="--json" in words)
    given = parser.parse_intermixed_args(words)
    given.rest = rest
    return given


def _before_dashes(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _add_subject(parser: argparse.ArgumentParser, spec: CommandSpec) -> None:
    if spec.subject is Subject.MACHINE:
        if spec.id in MACHINE_LAST:
            parser.add_argument(
                "machine", nargs="?", metavar="MACHINE", help="which one, where there are several"
            )
        elif spec.id in ONE_MACHINE:
            parser.add_argument(
                "machines", nargs="*", metavar="MACHINE", help="which one, where there are several"
            )
        else:
            parser.add_argument("machines", nargs="*", metavar="MACHINE", help=_machines_help(spec))
    elif spec.id == "machine.status":
        parser.add_argument("machines", nargs="*", metavar="MACHINE", help=f"{_SUBJECT_HELP}; else all")
    elif spec.subject is Subject.BUILD:
        parser.add_argument("builds", nargs="*", metavar="BUILD", help=f"{_SUBJECT_HELP}; else all")


def _machines_help(spec: CommandSpec) -> str:
    if spec.id == "machine.up":
        return f"{_SUBJECT_HELP}; else all that start by themselves"
    if spec.id == "machine.recover":
        return f"{_SUBJECT_HELP}; else all that can be brought back"
    return f"{_SUBJECT_HELP}; else all that are created"


def _add(parser: argparse.ArgumentParser, argument: Argument) -> None:
    if not argument.flags:
        if argument.kind is ArgumentKind.WORDS:
            parser.add_argument(argument.field, nargs="*", metavar=argument.metavar, help=argument.help)
        else:
            nargs = None if argument.required else "?"
            parser.add_argument(argument.field, nargs=nargs, metavar=argument.metavar, help=argument.help)
        return
    if argument.kind is ArgumentKind.CHOICE:
        on, off = argument.flags
        group = parser.add_mutually_exclusive_group()
        group.add_argument(
            on, dest=argument.field, action="store_const", const=True, default=None, help=argument.help
        )
        group.add_argument(off, dest=argument.field, action="store_const", const=False)
        return
    if argument.kind is ArgumentKind.FLAG:
        parser.add_argument(
            *argument.flags, dest=argument.field, action="store_true", default=None, help=argument.help
        )
        return
    parser.add_argument(
        *argument.flags,
        dest=argument.field,
        action="append" if argument.kind is ArgumentKind.WORDS else "store",
        type=_number if argument.kind is ArgumentKind.NUMBER else str,
        metavar=argument.metavar,
        required=argument.required,
        help=argument.help,
    )


def _number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than nothing")
    return number


def _description(spec: CommandSpec) -> str:
    names = f" Also called {' and '.join(spec.aliases)}." if spec.aliases else ""
    return spec.help + names


def _plain(message: str) -> str:
    """argparse's message as a sentence."""
    message = message.removeprefix("argument ")
    message = message.replace("unrecognized arguments:", "not understood:")
    return f"{message[:1].upper()}{message[1:]}{'' if message.endswith('.') else '.'}"
