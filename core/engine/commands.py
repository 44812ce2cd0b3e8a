"""From a command to what carries it out, and to the operation that it becomes."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.engine.context import Context, Handler
from core.engine.secrets import hide
from core.errors import UsageError
from core.model.command import Command
from core.model.operation import Operation
from core.model.project import Project
from core.model.query import BuildView
from core.model.work import UndoTable


def _accept(_context: Context, _command: Any) -> None:
    pass


def _no_line(_command: Any) -> str:
    return ""


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """All that the engine wants to know of commands; ``core.engine.context`` says what each part means."""

    table: Mapping[type[Any], Handler]
    subject: Callable[[Any], str]
    title: Callable[[Any], str]
    command_line: Callable[[Any], str] = _no_line
    refuse: Callable[[Context, Any], None] = _accept
    undo: UndoTable = {}
    build_views: Callable[[Context, Project], tuple[BuildView, ...]] | None = None

    @classmethod
    def installed(cls) -> Handlers:
        """The ones of ``core.engine.handlers``."""
        module = importlib.import_module("core.engine.handlers")
        return cls(
            table=module.HANDLERS,
            subject=module.subject,
            title=module.title,
            command_line=getattr(module, "command_line", _no_line),
            refuse=getattr(module, "check", _accept),
            undo=getattr(module, "UNDO", {}),
            build_views=getattr(module, "build_views", None),
        )

    def find(self, command: Command) -> Handler:
        """Raises UsageError for a command that nobody carries out."""
        try:
            return self.table[type(command)]
        except KeyError:
            raise UsageError(
                f"This engine does not know the command {name_of(command)!r}.",
                remedy="boxwright engine stop",
            ) from None

    def check(self, context: Context, command: Command) -> None:
        """Raises BoxwrightError where the command is refused outright."""
        self.find(command)
        self.refuse(context, command)

    def describe(self, command: Command, operation: str) -> Operation:
        """The operation that a command becomes; it is written down and told of, so it holds no secrets."""
        return Operation(
            id=operation,
            command=name_of(command),
            title=hide(self.title(command)),
            subject=hide(self.subject(command)),
            project=project_of(command),
            submitted=time.time(),
            command_line=hide(self.command_line(command)),
        )


def name_of(command: Command) -> str:
    """Id in the registry, e.g. ``machine.up``."""
    return str(command.__struct_config__.tag)


def project_of(command: Command) -> str:
    """The project that a command is about, "" for none."""
    machine = getattr(command, "machine", None)
    return machine.project if machine is not None else getattr(command, "project", "")
