"""What a command says of itself."""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from core.model.machine import Machine
from core.model.provider import Capability, Probe


class Subject(enum.StrEnum):
    """What a command acts upon."""

    MACHINE = "machine"
    BOX = "box"
    BUILD = "build"
    PROJECT = "project"
    OPERATION = "operation"
    NONE = ""


class ArgumentKind(enum.StrEnum):
    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "yes or no"
    """``--x`` and ``--no-x``; None where neither is said."""
    WORDS = "words"
    """Any number of texts."""
    LOCAL_PATH = "path"
    """A path on the host; made absolute before it is sent."""
    SOURCE = "source"
    """A name or an address, or a path on the host, which is made absolute."""


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """An argument of a command, as the command line and forms show it."""

    field: str
    """Of the command's struct."""
    flags: tuple[str, ...] = ()
    """E.g. ("-f", "--force"); () for a positional one."""
    kind: ArgumentKind = ArgumentKind.TEXT
    help: str
    metavar: str = ""
    required: bool = False
    secret: bool = False
    """``NAME=VALUE`` whose values are not shown in a command line."""


def _always(_machine: Machine, _probe: Probe | None) -> str:
    return ""


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A command: its name, help, arguments and conditions.

    ``struct`` is None for what the front end does itself (a shell, a listing); such a command
    has no operation.
    """

    id: str
    """Stable, e.g. ``machine.up``: users' keymaps name it."""
    verb: tuple[str, ...]
    """The words on the command line, e.g. ("snapshot", "save")."""
    title: str
    """One or two words for footer and palette."""
    help: str
    """One sentence."""
    subject: Subject = Subject.NONE
    struct: type[msgspec.Struct] | None = None
    arguments: tuple[Argument, ...] = ()
    key: str = ""
    """Default key in the workbench, in Textual's words; "" for none."""
    aliases: tuple[str, ...] = ()
    capability: Capability | None = None
    destructive: bool = False
    """Asks first."""
    why_not: Callable[[Machine, Probe | None], str] = _always
    """For a machine: why it is not possible now, in a sentence; "" where it is."""

    @property
    def name(self) -> str:
        return " ".join(self.verb)

    def refusal(self, machine: Machine, probe: Probe | None) -> str:
        """Why this is not possible for ``machine`` now: state first, then the provider's abilities, which a
        provider that is not usable here (the machine may be elsewhere) does not tell."""
        reason = self.why_not(machine, probe)
        if reason or self.capability is None or probe is None or not probe.usable:
            return reason
        if self.capability not in probe.capabilities:
            return f"{probe.provider} has no {self.capability}."
        return ""
