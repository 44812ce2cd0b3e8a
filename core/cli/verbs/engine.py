"""engine status, stop and log."""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

import msgspec

from core import amounts
from core.cli import cells
from core.cli.confirm import confirm
from core.cli.context import Context
from core.commands import CommandSpec
from core.errors import BusyError, NotFoundError
from core.model.operation import Operation
from core.model.problem import ExitCode
from core.model.query import EngineView, GetEngine, GetOperations, Operations
from core.paths import locations


def status(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """Of an engine that runs; none is started to be asked."""
    from core.cli.session import connect_running

    output = context.output
    session = connect_running()
    if session is None:
        where = locations()
        output.result(
            {"running": False, "data": str(where.data), "socket": str(where.socket)},
            ["No engine runs; the next command that needs one starts it.", f"  data    {where.data}"],
        )
        return ExitCode.DONE
    with contextlib.closing(session):
        view = session.query(GetEngine())
    assert isinstance(view, EngineView)
    idle = f"after {amounts.duration(view.idle_exit)} without work" if view.idle_exit else "never by itself"
    facts = (
        ("version", view.version),
        ("process", str(view.pid)),
        ("running", f"for {amounts.duration(time.time() - view.started)}"),
        ("clients", str(view.clients)),
        ("operations", f"{view.running} running or waiting"),
        ("ends", idle),
        ("data", view.data),
        ("socket", view.socket),
        ("log", view.log),
        *([("trouble", view.trouble)] if view.trouble else []),
    )
    lines = [f"{output.look.paint(f'{name:<11}', 'dim')} {text}" for name, text in facts]
    output.result({"running": True, "engine": msgspec.to_builtins(view)}, lines)
    return ExitCode.DONE


def stop(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """A busy engine is only stopped with --force, which cancels what runs; then it asks first."""
    from core.cli.session import connect_running

    output = context.output
    session = connect_running()
    if session is None:
        output.result({"stopped": False, "running": False}, ["No engine runs."])
        return ExitCode.DONE
    with contextlib.closing(session):
        answer = session.query(GetOperations(running=True))
        assert isinstance(answer, Operations)
        running = answer.operations
        if running and not given.force:
            raise BusyError(
                "The engine is busy and goes on.",
                why=f"It works on {amounts.listed([_named(one) for one in running])}.",
                remedy="boxwright engine stop --force   (cancels that, and undoes what it began)",
            )
        if running:
            confirm(
                context,
                f"Cancel {amounts.count(len(running), 'operation')} and stop the engine?",
                goes=[f"{_named(one)}: what it began is undone" for one in running],
                stays="machines that run, run on",
            )
        session.stop(force=bool(given.force))
    output.result({"stopped": True, "running": False}, ["The engine has ended. Machines run on."])
    return ExitCode.DONE


def _named(operation: Operation) -> str:
    return f"{operation.title} ({operation.id})"


def log(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """The end of the engine's own log; with --follow what is added to it."""
    path = locations().engine_log
    if not path.exists():
        raise NotFoundError("There is no log of the engine yet.", why=f"It would be {path}.")
    lines = _last(path, given.lines if given.lines is not None else 200)
    for line in lines:
        _print(context, line)
    context.output.flush()
    if given.follow:
        _follow(context, path)
    return ExitCode.DONE


def _print(context: Context, line: str) -> None:
    if context.options.json:
        context.output.document({"text": cells.clean(line)})
    else:
        context.output.line(cells.clean(line))


def _last(path: Path, count: int) -> list[str]:
    with path.open("rb") as stream:
        stream.seek(0, 2)
        # A line of a log rarely has more than 500 bytes; what is before is not read.
        stream.seek(max(0, stream.tell() - max(1, count) * 500))
        lines = stream.read().decode(errors="replace").splitlines()
    return lines[-count:] if count else []


def _follow(context: Context, path: Path) -> None:
    """Files tell nobody that they grew: look twice a second, until Ctrl-C."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        stream.seek(0, 2)
        while True:
            text = stream.readline()
            if text:
                _print(context, text)
                continue
            context.output.flush()
            time.sleep(0.5)
