"""Commands on boxes: each is one action of :mod:`core.boxes.actions`."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from core.engine.context import Context, Handler
from core.model.box import BoxKey
from core.model.work import Work


def action(name: str) -> Handler:
    """A handler that carries out the action ``name``; importing it waits until it is needed."""

    async def handler(context: Context, command: Any, work: Work) -> Any:
        actions = importlib.import_module("core.boxes.actions")
        act: Callable[..., Awaitable[Any]] = getattr(actions, name)
        try:
            return await act(
                context.boxes, command, providers=_formats(context), linked=_linked(context), work=work
            )
        finally:
            context.boxes_changed()

    return handler


def _formats(context: Context) -> tuple[str, ...]:
    """What can be run here: the formats of all installed providers, without repeats."""
    formats = [form for provider in context.providers.values() for form in provider.box_formats]
    return tuple(dict.fromkeys(formats))


def _linked(context: Context) -> dict[BoxKey, tuple[str, ...]]:
    return {
        box.key: tuple(str(key) for key in context.machines.linked_to(box.key))
        for box in context.known_boxes()
    }
