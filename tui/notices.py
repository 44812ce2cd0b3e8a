"""Telling of what has ended while one looked elsewhere: by the terminal's own notification, and its bell."""

from __future__ import annotations

import os
from collections.abc import Mapping

from core import amounts
from core.model.operation import Operation, StepState
from tui.look.lines import clean
from tui.settings import Notify, Settings
from tui.store import State

_LONGEST = 200
_BEL = "\x07"


class Notices:
    """``look`` at each change; what has to be told comes back as text for the terminal."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    def look(self, changed: frozenset[str], state: State) -> list[Operation]:
        """Operations that were seen to run and have ended now."""
        if "*" in changed:
            ids = [*self._running, *(one.id for one in state.operations.values() if not one.state.ended)]
        else:
            ids = [key.partition(":")[2] for key in changed if key.startswith("operation:")]
        ended = []
        for id in ids:
            operation = state.operations.get(id)
            if operation is None or operation.state.ended:
                if id in self._running and operation is not None:
                    ended.append(operation)
                self._running.discard(id)
            else:
                self._running.add(id)
        return ended


def wanted_now(settings: Settings, *, focused: bool) -> bool:
    """Whether the terminal is to be told of anything."""
    return settings.notify is not Notify.NEVER and not (settings.notify is Notify.UNFOCUSED and focused)


def worth_telling(operation: Operation, settings: Settings, *, focused: bool) -> bool:
    if not wanted_now(settings, focused=focused):
        return False
    return bool(operation.started) and operation.ended - operation.started >= settings.notify_after


def words(operation: Operation) -> str:
    took = amounts.duration(max(0.0, operation.ended - operation.started))
    if operation.state is StepState.FAILED and operation.problem is not None:
        return f"{operation.title} failed after {took}: {operation.problem.what}"
    return f"{operation.title}: {operation.state.value} after {took}"


def sequence(text: str, environment: Mapping[str, str] | None = None) -> str:
    """What to write to the terminal: OSC 777 where it is known to be understood, else OSC 9, and the bell.
    tmux passes it on only where it is wrapped."""
    env = os.environ if environment is None else environment
    text = clean(text).replace(";", ",")[:_LONGEST]
    if env.get("VTE_VERSION") or env.get("TERM", "").startswith(("foot", "rxvt")):
        code = f"\x1b]777;notify;boxwright;{text}{_BEL}"
    else:
        code = f"\x1b]9;boxwright: {text}{_BEL}"
    if env.get("TMUX"):
        code = f"\x1bPtmux;{code.replace(chr(27), chr(27) * 2)}\x1b\\"
    return code + _BEL
