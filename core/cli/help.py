"""Help, from the registry."""

from __future__ import annotations

from core.cli import cells
from core.cli.options import add_global_options
from core.cli.output import Output
from core.cli.parser import CommandParser, parser_for
from core.cli.verb import HELP, members
from core.commands import COMMANDS, CommandSpec
from core.commands.boxes import BOX_COMMANDS
from core.commands.machines import MACHINE_COMMANDS
from core.commands.templates import TEMPLATE_COMMANDS
from core.model.problem import ExitCode

_FIRST_STEPS = (
    ("boxwright init debian/bookworm64", "write a boxwright.toml here"),
    ("boxwright up", "bring its machine up"),
    ("boxwright ssh", "open a shell in it"),
    ("boxwright", "open the workbench"),
)


def print_overview(output: Output) -> int:
    """All commands with their sentences."""
    if output.options.json:
        output.document({"commands": [_entry(spec) for spec in (*COMMANDS, HELP)]})
        return ExitCode.DONE
    look = output.look
    output.line("usage: boxwright [COMMAND] [OPTIONS]")
    output.line()
    output.line("Machines and images from the keyboard. Without a command the workbench opens.")
    width = max(len(spec.name) for spec in COMMANDS)
    machine, box, template = set(MACHINE_COMMANDS), set(BOX_COMMANDS), set(TEMPLATE_COMMANDS)
    for title, wanted in (
        ("Machines", [spec for spec in COMMANDS if spec in machine]),
        ("Boxes and builds", [spec for spec in COMMANDS if spec in box]),
        ("Packer templates", [spec for spec in COMMANDS if spec in template]),
        ("Projects, operations, engine", [*(s for s in COMMANDS if s not in machine | box | template), HELP]),
    ):
        output.line()
        output.line(look.paint(title, "bold"))
        output.lines(_sentences(wanted, width, output.width))
    output.line()
    output.line(look.paint("First steps", "bold"))
    output.lines([f"  {command:<{width + 20}} {what}" for command, what in _FIRST_STEPS])
    output.line()
    parser = CommandParser(None)
    add_global_options(parser)
    output.lines(parser.format_help().split("\n\n", 1)[1].rstrip().splitlines())
    return ExitCode.DONE


def print_group_help(group: str, output: Output) -> int:
    """The commands that begin with one word."""
    found = [spec for spec in COMMANDS if spec.verb[0] == group] or list(members(group))
    if output.options.json:
        output.document({"commands": [_entry(spec) for spec in found]})
        return ExitCode.DONE
    output.line(f"usage: boxwright {group} COMMAND")
    output.line()
    output.lines(_sentences(found, max(len(spec.name) for spec in found), output.width))
    output.line()
    output.line(f"boxwright help {found[-1].name} shows what that one takes.")
    return ExitCode.DONE


def print_command_help(spec: CommandSpec, output: Output) -> int:
    """All that one command takes."""
    if output.options.json:
        output.document(_entry(spec))
        return ExitCode.DONE
    output.lines(parser_for(spec).format_help().rstrip().splitlines())
    return ExitCode.DONE


def _sentences(specs: list[CommandSpec], width: int, columns: int) -> list[str]:
    hanging = " " * (width + 4)
    lines = []
    for spec in specs:
        lines += cells.wrap(spec.help, columns, indent=f"  {spec.name:<{width}}  ", hanging=hanging)
    return lines


def _entry(spec: CommandSpec) -> dict[str, object]:
    return {
        "command": spec.name,
        "id": spec.id,
        "aliases": spec.aliases,
        "help": spec.help,
        "usage": " ".join(parser_for(spec).format_usage().removeprefix("usage: ").split()),
    }
