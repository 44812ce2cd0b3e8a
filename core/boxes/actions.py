"""What the commands on boxes do, one function for each: ``(store, command, *, providers, linked, work)``.

``providers`` are those whose boxes can be used here, most wanted first. ``linked`` says which machines
are linked to which box. All raise BoxwrightError and its kinds; results are plain data, but for
``add_box``, which returns the box.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from core.boxes.add import add
from core.boxes.import_vagrant import import_boxes as import_vagrant_boxes
from core.boxes.prune import prune
from core.boxes.reasons import in_use, several_versions
from core.boxes.search import search
from core.boxes.staging import file_system_errors
from core.boxes.store import BoxStore, Linked
from core.boxes.update import outdated, update
from core.boxes.verify import verify
from core.boxes.versions import Constraint, Version
from core.errors import NotFoundError, UsageError
from core.model import command as commands
from core.model.box import Box
from core.model.work import Work


async def add_box(
    store: BoxStore, command: commands.AddBox, *, providers: Sequence[str], linked: Linked, work: Work
) -> Box:
    """See :func:`core.boxes.add.add`."""
    return await add(store, command, providers=providers, work=work, linked=linked)


async def update_boxes(
    store: BoxStore, command: commands.UpdateBox, *, providers: Sequence[str], linked: Linked, work: Work
) -> dict[str, Any]:
    """{"updated": [{name, provider, installed, newest}], "skipped": [{box, why}]}."""
    return await update(store, command.names, linked=linked, work=work)


async def outdated_boxes(
    store: BoxStore, command: commands.OutdatedBoxes, *, providers: Sequence[str], linked: Linked, work: Work
) -> list[dict[str, str]]:
    """[{name, provider, installed, newest}], of boxes that have a newer version."""
    return await outdated(store, work)


async def search_boxes(
    store: BoxStore, command: commands.SearchBoxes, *, providers: Sequence[str], linked: Linked, work: Work
) -> list[dict[str, Any]]:
    """See :func:`core.boxes.search.search`."""
    return await search(store, command, providers=providers, work=work)


async def remove_boxes(
    store: BoxStore, command: commands.RemoveBox, *, providers: Sequence[str], linked: Linked, work: Work
) -> dict[str, Any]:
    """{"removed": [str(BoxKey)], "freed": bytes}. Raises BusyError where machines are linked to it."""
    boxes = _chosen(store, command)
    if not command.force:
        for box in boxes:
            _check_unused(box, linked)
    freed = 0
    with file_system_errors(store.folder):
        for box in boxes:
            freed += await asyncio.to_thread(store.remove, box.key)
    return {"removed": [str(box.key) for box in boxes], "freed": freed}


def _chosen(store: BoxStore, command: commands.RemoveBox) -> list[Box]:
    """The boxes that are meant. Raises NotFoundError, and UsageError where the user has to choose."""
    store.check_names((command.name,))
    boxes = [
        box for box in store.list() if box.name == command.name and command.provider in ("", box.key.provider)
    ]
    if command.version not in ("", "all"):
        wanted = Constraint(command.version)
        boxes = [box for box in boxes if wanted.admits(Version(box.version))]
    if not boxes:
        there = ", ".join(str(box.key) for box in store.list() if box.name == command.name)
        raise NotFoundError(f"There is no such version of {command.name}.", why=f"There are: {there}.")
    providers = sorted({box.key.provider for box in boxes})
    if len(providers) > 1:
        raise UsageError(
            f"{command.name} is there for several providers: {', '.join(providers)}.",
            remedy=f"boxwright box remove {command.name} --provider {providers[0]}",
        )
    versions = {Version(box.version) for box in boxes}
    if len(versions) > 1 and command.version != "all":
        raise several_versions(command.name, list(dict.fromkeys(box.version for box in boxes)))
    return boxes


def _check_unused(box: Box, linked: Linked) -> None:
    machines = linked.get(box.key, ())
    if machines:
        raise in_use(str(box.key), machines)


async def prune_boxes(
    store: BoxStore, command: commands.PruneBoxes, *, providers: Sequence[str], linked: Linked, work: Work
) -> dict[str, Any]:
    """{"removed": [{what, bytes}], "freed": bytes, "dry_run": bool}."""
    with file_system_errors(store.folder):
        return await prune(store, command.names, dry_run=command.dry_run, linked=linked, work=work)


async def verify_boxes(
    store: BoxStore, command: commands.VerifyBoxes, *, providers: Sequence[str], linked: Linked, work: Work
) -> dict[str, Any]:
    """{"verified": [{box, bytes}]}. Raises BoxwrightError that lists what is damaged."""
    return await verify(store, command.names, work)


async def import_boxes(
    store: BoxStore, command: commands.ImportBoxes, *, providers: Sequence[str], linked: Linked, work: Work
) -> dict[str, Any]:
    """{"imported": [str(BoxKey)], "skipped": [{box, why}]}."""
    return await import_vagrant_boxes(store, command.folder, work)
