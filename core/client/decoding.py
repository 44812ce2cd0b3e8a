"""From the engine's messages to the model's classes; each is decoded by its own type alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from core.model.event import Event, Snapshot
    from core.model.machine import Stats
    from core.model.query import Answer, Query


def answer(query: Query, data: msgspec.Raw) -> Answer:
    """The answer to ``query``."""
    from core.model import query as model

    types: dict[type[Any], Any] = {
        model.GetMachines: model.Machines,
        model.GetDestroyed: model.Destroyed,
        model.GetProject: model.ProjectView,
        model.GetBoxes: model.Boxes,
        model.GetProviders: model.Providers,
        model.GetOperations: model.Operations,
        model.GetOperation: model.OperationView,
        model.GetLog: model.Log,
        model.GetSerial: model.Log,
        model.GetBuild: model.BuildNow,
        model.GetEngine: model.EngineView,
    }
    result: Answer = msgspec.msgpack.decode(data, type=types[type(query)])
    return result


def snapshot(data: msgspec.Raw) -> Snapshot:
    from core.model.event import Snapshot

    return msgspec.msgpack.decode(data, type=Snapshot)


def stats(data: msgspec.Raw) -> Stats:
    from core.model.machine import Stats

    return msgspec.msgpack.decode(data, type=Stats)


class EventDecoder:
    """Decodes lists of events; made once, as building it costs more than using it."""

    def __init__(self) -> None:
        from core.model.event import Event

        self._decoder: msgspec.msgpack.Decoder[list[Event]] = msgspec.msgpack.Decoder(list[Event])

    def events(self, data: msgspec.Raw) -> list[Event]:
        return self._decoder.decode(data)
