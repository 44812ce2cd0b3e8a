"""logs: what operations wrote, as it was and as it comes."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence

from core.cli import cells
from core.cli.context import Context
from core.cli.lines import LineCutter, Piece, pieces
from core.cli.suggestions import did_you_mean
from core.commands import CommandSpec
from core.errors import NotFoundError
from core.model.operation import Operation, Step
from core.model.problem import ExitCode
from core.model.query import GetLog, GetOperation, GetOperations, Log, Operations, OperationView

_BLOCK = 1 << 20
_ID = re.compile(r"\d{1,6}")


def logs(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Print a log; with --follow until the operation ends, whose exit code then is ours.
    Ctrl-C only ends the printing."""
    operation = _find(context, given.what or "")
    view = context.session.query(GetOperation(operation=operation.id))
    assert isinstance(view, OperationView)
    printer = _Printer(context, operation.id, given.step)
    for step in view.steps:
        printer.meet(step)
    if given.follow:
        return _follow(context, operation, printer)
    printer.check()
    for text in _whole(context, operation.id):
        printer.print(text.step, text.data, text.time)
    printer.flush()
    return ExitCode.DONE


def _find(context: Context, what: str) -> Operation:
    """By id, or the last one on a machine or build of this project, or the last of all: of these the
    last that wrote something, or writes. Raises NotFoundError where none did."""
    if _ID.fullmatch(what):
        view = context.session.query(GetOperation(operation=what))
        assert isinstance(view, OperationView)
        return view.operation
    project = context.root if what or context.options.project else ""
    answer = context.session.query(GetOperations(project=project, limit=1000))
    assert isinstance(answer, Operations)
    meant = (f"{project}:{what}", f"build:{project}:{what}")
    found = [one for one in answer.operations if not what or one.subject in meant]
    for operation in found:
        if operation.log_size or not operation.state.ended:
            return operation
    if found:
        raise NotFoundError(
            f"No operation{f' on {what}' if what else ''} wrote anything.",
            why=f"The last one was {found[0].title}: {found[0].state}.",
            remedy=f"boxwright ops show {found[0].id}",
        )
    if not what:
        raise NotFoundError("No operations yet.", remedy="boxwright up")
    names = sorted({one.subject.rpartition(":")[2] for one in answer.operations if one.subject})
    raise NotFoundError(
        f"There is no operation on {what!r}.", why=did_you_mean(what, names), remedy="boxwright ops"
    )


def _whole(context: Context, id: str) -> Iterator[Piece]:
    """The log as it stands, by the steps that wrote it."""
    offset = 0
    while True:
        log = context.session.query(GetLog(operation=id, offset=offset, limit=_BLOCK))
        assert isinstance(log, Log)
        if not log.data:
            return
        yield from pieces(log)
        offset = log.offset + len(log.data)


def _follow(context: Context, operation: Operation, printer: _Printer) -> int:
    from core.client.following import LogText

    last = operation
    for item in context.session.follow(operation.id):
        if isinstance(item, Step):
            printer.meet(item)
        elif isinstance(item, LogText):
            printer.print(item.step, item.data, item.time)
            context.output.out.flush()
        elif isinstance(item, Operation):
            last = item
    printer.flush()
    if last.state.good:
        return ExitCode.DONE
    return int(last.problem.code if last.problem else ExitCode.FAILED)


class _Printer:
    """Prints a log: as it is, of one step and those below it, or as JSON lines."""

    def __init__(self, context: Context, id: str, step: int | None) -> None:
        self._output = context.output
        self._id = id
        self._step = step
        self._steps: dict[int, Step] = {}
        self._cutters: dict[int, LineCutter] = {}
        self._times: dict[int, float] = {}

    def meet(self, step: Step) -> None:
        self._steps[step.id] = step

    def check(self) -> None:
        """Raises NotFoundError where the wanted step is not there (and no longer can be)."""
        if self._step is not None and self._step not in self._steps:
            raise NotFoundError(
                f"Operation {self._id} has no step {self._step}.", remedy=f"boxwright ops show {self._id}"
            )

    def print(self, step: int, data: bytes, time: float) -> None:
        if self._step is not None and step not in below(list(self._steps.values()), self._step):
            return
        self._times[step] = time
        for line in self._cutters.setdefault(step, LineCutter()).feed(data):
            self._line(step, line)

    def flush(self) -> None:
        for step, cutter in self._cutters.items():
            for line in cutter.flush():
                self._line(step, line)
        self._output.out.flush()

    def _line(self, step: int, line: str) -> None:
        if self._output.options.json:
            name = self._steps[step].name if step in self._steps else ""
            entry = {"operation": self._id, "step": step, "name": name, "time": self._times[step]}
            self._output.document({**entry, "text": cells.clean(line)})
            return
        text = cells.clean(line, colours=self._output.look.colour)
        self._output.line(text + (cells.RESET if "\x1b" in text else ""))


def below(steps: Sequence[Step], top: int) -> set[int]:
    """A step and all below it."""
    found = {top}
    for step in sorted(steps, key=lambda step: step.id):
        if step.parent in found:
            found.add(step.id)
    return found
