"""Following one operation to its end: its steps, its log, its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.model.event import Event, LogGrew, OperationChanged, Snapshot, StepChanged
from core.model.operation import Operation, Step
from core.model.query import GetLog, GetOperation, Log, OperationView

if TYPE_CHECKING:
    from core.model.query import Answer, Query

_CHUNK = 256 * 1024


class LogText(msgspec.Struct, frozen=True):
    """Output that one step wrote; any number of lines, or a part of one."""

    step: int
    data: bytes
    time: float


class Followed(Protocol):
    """What following needs of a client."""

    def query(self, query: Query) -> Answer: ...

    def events(self, since: int = 0, timeout: float | None = None) -> Iterator[Snapshot | Event | None]: ...


def follow(
    client: Followed, operation: str, timeout: float | None = None
) -> Iterator[Operation | Step | LogText | None]:
    """Everything about one operation from its beginning, whenever one joins; the last item is the
    operation as it ended. With ``timeout``, None comes whenever that many seconds pass without news.
    Raises RemoteError where there is no such operation."""
    events = client.events(0, timeout)
    try:
        next(events)
        # Asked after the subscription has begun: nothing falls between the two.
        view = client.query(GetOperation(operation=operation))
        assert isinstance(view, OperationView)
        name = view.operation.id
        offset = 0
        ended = view.operation if view.operation.state.ended else None
        if ended is None:
            yield view.operation
        yield from view.steps
        for text in _log(client, name, offset):
            offset += len(text.data)
            yield text
        while ended is None:
            event = next(events)
            if not isinstance(event, Event):
                yield None
                continue
            change = event.change
            if isinstance(change, StepChanged) and change.step.operation == name:
                yield change.step
            elif isinstance(change, LogGrew) and change.operation == name and change.offset > offset:
                for text in _log(client, name, offset):
                    offset += len(text.data)
                    yield text
            elif isinstance(change, OperationChanged) and change.operation.id == name:
                ended = change.operation if change.operation.state.ended else None
                if ended is None:
                    yield change.operation
        yield from _log(client, name, offset)
        yield ended
    finally:
        if hasattr(events, "close"):
            events.close()


def _log(client: Followed, operation: str, offset: int) -> Iterator[LogText]:
    """The log from ``offset`` to its present end, by the steps that wrote it."""
    while True:
        log = client.query(GetLog(operation=operation, offset=offset, limit=_CHUNK))
        assert isinstance(log, Log)
        if not log.data:
            return
        position = log.offset
        for segment in log.segments:
            if segment.offset > position:
                yield LogText(0, log.data[position - log.offset : segment.offset - log.offset], segment.time)
            first = segment.offset - log.offset
            yield LogText(segment.step, log.data[first : first + segment.length], segment.time)
            position = segment.offset + segment.length
        if position < log.offset + len(log.data):
            yield LogText(0, log.data[position - log.offset :], 0.0)
        offset = log.offset + len(log.data)
        if offset >= log.size:
            return
