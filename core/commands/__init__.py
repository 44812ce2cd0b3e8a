"""The registry of commands: the one list from which verbs, keys, prompt, palette and help derive."""

from core.commands.registry import BY_ID, COMMANDS, find
from core.commands.spec import Argument, ArgumentKind, CommandSpec, Subject

__all__ = ["BY_ID", "COMMANDS", "Argument", "ArgumentKind", "CommandSpec", "Subject", "find"]
