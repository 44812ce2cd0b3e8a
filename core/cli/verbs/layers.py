"""layer list and prune: the states that builds kept."""

from __future__ import annotations

import argparse
import time

import msgspec

from core import amounts
from core.cli.context import Context
from core.cli.operating import command_of, finish
from core.cli.table import table
from core.commands import CommandSpec
from core.model.problem import ExitCode


def show_list(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """Straight from the folder: the engine has nothing to add."""
    from core.builds import kept
    from core.builds.layers import LayerStore
    from core.paths import locations

    store = LayerStore(locations().layers)
    found = store.list()
    output = context.output
    rows = [
        (
            layer.id[:12],
            layer.source,
            layer.title,
            amounts.size(layer.size),
            amounts.ago(layer.used, time.time()),
        )
        for layer in found
    ]
    lines = table(("LAYER", "SOURCE", "AFTER", "SIZE", "USED"), rows, output.look, width=output.width)
    total = sum(layer.size for layer in found)
    lines.append(f"{amounts.size(total)} of at most {amounts.size(store.limit)}.")
    left = kept.folders(locations().builds)
    if left:
        lines += ["", "Failed builds left their machines; boxwright layer prune --kept removes them:"]
        lines += [f"  {folder}" for folder in left]
    output.result(
        {
            "layers": msgspec.to_builtins(found),
            "size": total,
            "limit": store.limit,
            "kept": [str(folder) for folder in left],
        },
        lines,
    )
    return ExitCode.DONE


def prune(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    return finish(context, [command_of(spec, given)])
