"""Hears what VirtualBox says of its machines, and passes it on: one line of JSON for each event.

A process of its own, as waiting is all that it does. VirtualBox calls it; it asks for nothing. It ends when
its input does.
"""

from __future__ import annotations

import json
import os
import select
from typing import Any

from core.providers.virtualbox.worker.api import Api, own_output, text

_GLANCE = 250
"""Milliseconds between two looks at whether whoever listens is still there."""


class Ear:
    """VirtualBox's ``IEventListener``."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._api: Api = given["api"]
        self._out: int = given["out"]

    def handleEvent(self, event: Any) -> None:
        if event.type == self._api.constants.VBoxEventType_OnMachineStateChanged:
            change = self._api.manager.queryInterface(event, "IMachineStateChangedEvent")
            say(self._out, uuid=change.machineId, state=self._api.state(change.state))
        else:
            change = self._api.manager.queryInterface(event, "IMachineRegisteredEvent")
            say(self._out, uuid=change.machineId, state="" if change.registered else "Gone")


def main() -> None:
    out = own_output()
    try:
        api = Api()
        source = api.box.eventSource
        kinds = [
            api.constants.VBoxEventType_OnMachineStateChanged,
            api.constants.VBoxEventType_OnMachineRegistered,
        ]
        ear = api.manager.createListener(Ear, {"api": api, "out": out})
        source.registerListener(ear, kinds, True)
        say(out, ready=api.box.version)
        rounds = 0
        while not select.select([0], [], [], 0)[0]:
            api.manager.waitForEvents(_GLANCE)
            rounds += 1
            if rounds % 40 == 0:
                # Raises where the daemon has gone, which nobody tells.
                _ = api.box.version
        source.unregisterListener(ear)
    except Exception as error:
        say(out, gone=text(error))
    os._exit(0)


def say(out: int, **message: Any) -> None:
    os.write(out, json.dumps(message).encode() + b"\n")
