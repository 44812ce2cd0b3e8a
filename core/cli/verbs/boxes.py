"""box add, search, outdated, update, verify and import."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core import amounts
from core.cli.context import Context
from core.cli.operating import carry_out, command_of, document
from core.cli.table import table
from core.commands import CommandSpec
from core.model.command import Command


def add(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    given.source = _source(given.source)
    return _plain(context, command_of(spec, given))


def update(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    outcome = carry_out(context, [command_of(spec, given)])
    output = context.output
    if output.options.json:
        output.document(document(outcome))
    elif not outcome.code:
        from core.boxes.reasons import NOTHING_NEWER

        result = outcome.operations[0].result or {}
        silent = [entry for entry in result.get("skipped", ()) if entry.get("why") not in NOTHING_NEWER]
        if silent:
            output.line("Of these it is not known whether there is a newer version:")
            output.lines([f"  {entry.get('box')}: {entry.get('why')}" for entry in silent])
        elif not result.get("updated"):
            output.line("Everything is up to date.")
    return outcome.code


def verify(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    return _plain(context, command_of(spec, given))


def outdated(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    outcome = carry_out(context, [command_of(spec, given)])
    output = context.output
    if output.options.json:
        output.document(document(outcome))
    elif not outcome.code:
        entries = _entries(outcome.operations[0].result)
        rows = [
            (str(e.get("name", "")), str(e.get("provider", "")), str(e.get("installed", "")), _newest(e))
            for e in entries
        ]
        heads = ("BOX", "PROVIDER", "INSTALLED", "NEWEST")
        lines = table(heads, rows, output.look, width=output.width)
        output.lines(lines or ["No box in the store comes from a catalogue."])
        if any(entry.get("newest") not in ("", None, entry.get("installed")) for entry in entries):
            output.line()
            output.line("boxwright box update   adds the newest versions")
    return outcome.code


def search(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    outcome = carry_out(context, [command_of(spec, given)])
    output = context.output
    if output.options.json:
        output.document(document(outcome))
    elif not outcome.code:
        rows = [
            (str(e["name"]), str(e["version"]), ", ".join(e["providers"]), "yes" if e["here"] else "no")
            for e in _entries(outcome.operations[0].result)
        ]
        lines = table(("BOX", "VERSION", "FOR", "IN THE STORE"), rows, output.look, width=output.width)
        output.lines(lines or [f"Neither the store nor the server has a box like {given.text!r}."])
    return outcome.code


def _newest(entry: dict[str, Any]) -> str:
    newest = entry.get("newest")
    if not newest:
        return str(entry.get("why") or "not known")
    return "up to date" if newest == entry.get("installed") else str(newest)


def import_boxes(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    outcome = carry_out(context, [command_of(spec, given)])
    output = context.output
    if output.options.json:
        output.document(document(outcome))
    elif not outcome.code:
        result = outcome.operations[0].result or {}
        imported = [str(name) for name in result.get("imported", ())]
        output.line(f"{amounts.count(len(imported), 'box', 'boxes')} imported.")
        output.lines([f"  {name}" for name in imported])
        skipped = result.get("skipped", ())
        if skipped:
            output.line(f"{amounts.count(len(skipped), 'box', 'boxes')} left out:")
            output.lines([f"  {entry.get('box')}: {entry.get('why')}" for entry in skipped])
    return outcome.code


def _plain(context: Context, command: Command) -> int:
    outcome = carry_out(context, [command])
    if context.output.options.json:
        context.output.document(document(outcome))
    return outcome.code


def _entries(result: Any) -> list[dict[str, Any]]:
    return [entry for entry in result or () if isinstance(entry, dict)]


def _source(text: str) -> str:
    """A file that is here becomes an absolute path: the engine has another current folder."""
    path = Path(text).expanduser()
    if "://" not in text and (path.exists() or text.startswith((".", "/", "~"))):
        return str(path.absolute())
    return text
