"""Commands on boxes: each is one action of :mod:`core.boxes.actions`."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from core import amounts
from core.engine import keeping
from core.engine.context import Context, Handler
from core.errors import BoxwrightError
from core.model import command as commands
from core.model.box import Box, BoxKey
from core.model.work import Work
from core.providers.base import Leftover, Pruning


def action(name: str) -> Handler:
    """A handler that carries out the action ``name``; importing it waits until it is needed."""

    async def handler(context: Context, command: Any, work: Work) -> Any:
        actions = importlib.import_module("core.boxes.actions")
        act: Callable[..., Awaitable[Any]] = getattr(actions, name)
        try:
            return await act(
                context.boxes,
                command,
                providers=_formats(context),
                linked=_linked(context, command),
                work=work,
            )
        finally:
            context.boxes_changed()
            # What was destroyed goes with the box that it is linked to.
            await keeping.prune(context.machines, context.locations)

    return handler


_prune_store = action("prune_boxes")


async def prune(context: Context, command: commands.PruneBoxes, work: Work) -> Any:
    """The store's part, and where all is meant what hypervisors keep of machines that are no more."""
    done = await _prune_store(context, command, work)
    if command.names:
        return done
    found: list[Leftover] = []
    known = {record.id for record in context.machines.records()}
    known |= {kept.id for kept in context.machines.kept.all()}
    for name, provider in context.providers.items():
        if isinstance(provider, Pruning) and (await context.probe(name)).usable:
            # A hypervisor that goes away just now keeps what it has for the next time.
            with contextlib.suppress(BoxwrightError):
                machines = context.locations.machines
                found += await provider.prune(machines, known, dry_run=command.dry_run)
    removed = [{"what": each.what, "bytes": each.bytes} for each in found]
    freed = done["freed"] + sum(each.bytes for each in found)
    return {**done, "removed": [*done["removed"], *removed], "freed": freed}


def _formats(context: Context) -> tuple[str, ...]:
    """What can be run here: the formats of all installed providers, without repeats."""
    formats = [form for provider in context.providers.values() for form in provider.box_formats]
    return tuple(dict.fromkeys(formats))


def _linked(context: Context, command: Any) -> dict[BoxKey, tuple[str, ...]]:
    """Machines by the boxes that they need. What was destroyed and can be brought back needs its box,
    too, but does not hold it where somebody says that it has to go."""
    kept = () if isinstance(command, commands.RemoveBox) else context.machines.kept.all()
    return {
        box.key: (
            *(str(key) for key in context.machines.linked_to(box.key)),
            *(str(each.key) for each in kept if each.record.box == box.key),
        )
        for box in context.known_boxes()
    }


def told_of(context: Context, box: Box) -> dict[str, Any]:
    """What came of a build, for all providers that it makes boxes for."""
    of_all = [one for one in context.known_boxes() if (one.name, one.version) == (box.name, box.version)]
    providers = amounts.listed(sorted(one.key.provider for one in of_all))
    size = amounts.size(sum(one.size for one in of_all))
    text = f"box {box.name} {box.version} for {providers}, {size}"
    return {"box": box.name, "version": box.version, "text": text}
