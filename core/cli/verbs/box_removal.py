"""box remove and box prune: what goes is named first."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from core import amounts
from core.cli.confirm import confirm
from core.cli.context import Context
from core.cli.operating import carry_out, command_of, document
from core.cli.verbs.box_lists import find_boxes
from core.commands import CommandSpec
from core.model.box import BoxUse
from core.model.command import PruneBoxes


def remove(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    found = find_boxes(context, given.name, given.version or "", given.provider or "")
    _refuse_ambiguous(found, given)
    linked = [use for use in found if use.machines]
    if linked and not given.force:
        from core.boxes.reasons import in_use

        raise in_use(str(linked[0].box.key), linked[0].machines)
    goes = [_what_goes(use) for use in found]
    confirm(context, f"Remove {given.name}?", goes=goes, stays="machines that are not linked to it")
    outcome = carry_out(context, [command_of(spec, given)])
    if context.output.options.json:
        context.output.document(document(outcome))
    return outcome.code


def _refuse_ambiguous(found: list[BoxUse], given: argparse.Namespace) -> None:
    versions = list(dict.fromkeys(use.box.version for use in found))
    if len(versions) > 1 and given.version != "all":
        from core.boxes.reasons import several_versions

        raise several_versions(given.name, versions)


def _what_goes(use: BoxUse) -> str:
    linked = f"; {', '.join(use.machines)} will not start any more" if use.machines else ""
    return f"{use.box.key}, {amounts.size(use.box.size)}{linked}"


def prune(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """First a dry run, so that what goes can be named."""
    output = context.output
    wanted = command_of(spec, given)
    assert isinstance(wanted, PruneBoxes)
    if not (context.options.yes or wanted.dry_run):
        outcome = carry_out(context, [msgspec.structs.replace(wanted, dry_run=True)])
        if outcome.code:
            return outcome.code
        goes = _removed(outcome.operations[0].result)
        if not goes:
            output.result(document(outcome), ["Nothing to remove."])
            return outcome.code
        freed = amounts.size(float(outcome.operations[0].result.get("freed", 0)))
        confirm(context, f"Remove these and free {freed}?", goes=goes, stays="boxes in use, newest versions")
    outcome = carry_out(context, [wanted])
    if not outcome.code and not output.options.json:
        result: dict[str, Any] = outcome.operations[0].result or {}
        gone = _removed(result)
        freed = amounts.size(float(result.get("freed", 0)))
        output.lines([f"  {text}" for text in gone])
        verb = "would free" if wanted.dry_run else "freed"
        output.line(f"{amounts.count(len(gone), 'thing')} {verb} {freed}." if gone else "Nothing to remove.")
    elif output.options.json:
        output.document(document(outcome))
    return outcome.code


def _removed(result: Any) -> list[str]:
    entries = (result or {}).get("removed", ())
    return [f"{entry.get('what')}, {amounts.size(float(entry.get('bytes', 0)))}" for entry in entries]
