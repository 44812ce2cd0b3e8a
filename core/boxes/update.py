"""Newer versions of boxes that came from a catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core.boxes import http
from core.boxes.add import add
from core.boxes.architecture import ANY, canonical
from core.boxes.limits import limits
from core.boxes.reasons import NEWEST, NO_CATALOGUE
from core.boxes.resolve import find_catalogue
from core.boxes.store import BoxStore, Linked
from core.boxes.versions import Version
from core.errors import BoxwrightError, NotFoundError
from core.model.box import Box
from core.model.command import AddBox
from core.model.work import Work


class Newer(msgspec.Struct, frozen=True):
    """A box in the store and what its catalogue offers."""

    box: Box
    """The newest version that is installed."""
    newest: str
    """The newest version that the catalogue has for the same provider and architecture."""

    @property
    def outdated(self) -> bool:
        return Version(self.newest) > Version(self.box.version)


def newest_of_each(store: BoxStore, names: Sequence[str]) -> list[Box]:
    """The newest installed version of each box, provider and architecture."""
    newest: dict[tuple[str, str, str], Box] = {}
    for box in store.list():
        if not names or box.name in names:
            newest.setdefault((box.name, box.key.provider, canonical(box.key.architecture)), box)
    return list(newest.values())


async def _ask(box: Box) -> Newer | None:
    """Ask the catalogue of a box; None where it lists the box no more."""
    found = await find_catalogue(box.catalogue, limits())
    try:
        release, _ = found.catalogue.choose("", (box.key.provider,), canonical(box.key.architecture) or ANY)
    except NotFoundError:
        return None
    return Newer(box, release.version)


async def look(store: BoxStore, names: Sequence[str], work: Work) -> tuple[list[Newer], list[dict[str, str]]]:
    """Ask the catalogues of the boxes ``names``, () for all. Returns what they offer, and the boxes for
    which nothing could be said as {box, why}.

    Raises NotFoundError for a name that is not there; where no catalogue answers, the first one's error.
    """
    store.check_names(names)
    answers: list[Newer] = []
    skipped: list[dict[str, str]] = []
    first: BoxwrightError | None = None
    for box in newest_of_each(store, names):
        if not box.catalogue:
            skipped.append({"box": str(box.key), "why": NO_CATALOGUE})
            continue
        async with work.step(f"Ask for {box.name}", detail=http.visible(box.catalogue)) as step:
            try:
                newer = await _ask(box)
            except BoxwrightError as error:
                first = first or error
                step.skipped(error.problem.what)
                skipped.append({"box": str(box.key), "why": error.problem.what})
                continue
            if newer is None:
                step.skipped("its catalogue lists it no more")
                skipped.append({"box": str(box.key), "why": "its catalogue lists it no more"})
            else:
                step.note(f"{box.version} is installed, {newer.newest} is the newest")
                answers.append(newer)
    if first and not answers:
        raise first
    return answers, skipped


async def outdated(store: BoxStore, work: Work) -> list[dict[str, str]]:
    """Returns [{name, provider, installed, newest}], of those only that have a newer version."""
    answers, _ = await look(store, (), work)
    return [
        {
            "name": each.box.name,
            "provider": each.box.key.provider,
            "installed": each.box.version,
            "newest": each.newest,
        }
        for each in answers
        if each.outdated
    ]


async def update(
    store: BoxStore, names: Sequence[str], *, linked: Linked | None, work: Work
) -> dict[str, Any]:
    """Add the newest versions of the boxes ``names``, () for all; older ones stay until pruned.

    Returns {"updated": [{name, provider, installed, newest}], "skipped": [{box, why}]}.
    """
    answers, skipped = await look(store, names, work)
    updated = []
    for newer in answers:
        box = newer.box
        if not newer.outdated:
            skipped.append({"box": str(box.key), "why": NEWEST})
            continue
        async with work.step(f"Add {box.name} {newer.newest}") as step:
            command = AddBox(
                source=box.catalogue,
                version=f"= {newer.newest}",
                provider=box.key.provider,
                architecture=box.key.architecture or ANY,
            )
            added = await add(store, command, providers=(), work=step, linked=linked)
        updated.append(
            {
                "name": box.name,
                "provider": box.key.provider,
                "installed": box.version,
                "newest": added.version,
            }
        )
    return {"updated": updated, "skipped": skipped}
