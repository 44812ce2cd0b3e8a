"""All commands, in the order in which help shows them."""

from __future__ import annotations

from core.commands.boxes import BOX_COMMANDS
from core.commands.builds import BUILD_COMMANDS
from core.commands.general import GENERAL_COMMANDS
from core.commands.machines import MACHINE_COMMANDS
from core.commands.spec import CommandSpec
from core.commands.templates import TEMPLATE_COMMANDS

COMMANDS: tuple[CommandSpec, ...] = (
    MACHINE_COMMANDS + BOX_COMMANDS + BUILD_COMMANDS + TEMPLATE_COMMANDS + GENERAL_COMMANDS
)

BY_ID: dict[str, CommandSpec] = {spec.id: spec for spec in COMMANDS}


def find(text: str) -> CommandSpec | None:
    """The command of that id, verb or alias."""
    wanted = " ".join(text.split())
    for spec in COMMANDS:
        if wanted in (spec.id, spec.name) or wanted in spec.aliases:
            return spec
    return None
