"""The worker's loop: requests come in as lines of JSON, answers go out the same way.

Several requests may be on their way: VirtualBox does the long ones by itself and tells how far it is, so that
one thread, which its API wants, is enough.

In: ``{"id": 7, "do": "launch", "with": {...}}``, ``{"cancel": 7}``. Out: ``{"id": 7, "progress": 40}``,
``{"id": 7, "done": ...}``, ``{"id": 7, "failed": "text", "code": 2159738881, "kind": "absent"}``.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any

from core.providers.virtualbox.worker.api import Api, Cancelled, Refused, Steps, code, own_output, text
from core.providers.virtualbox.worker.tasks import TASKS

_STEP = 0.05
"""Seconds between two looks at what VirtualBox does by itself."""

_SIGN_OF_LIFE = 1.0
"""Seconds after which one that gets no further says that it is still there."""


class _Task:
    def __init__(self, number: int, steps: Steps) -> None:
        self.number = number
        self.steps = steps
        self.waiting: Any = None
        self.until = 0.0
        self.cancelled = False
        self.percent = -1
        self.told = 0.0


class Loop:
    def __init__(self, api: Api, out: int) -> None:
        self._api = api
        self._out = out
        self._tasks: dict[int, _Task] = {}
        self._input = b""

    def run(self, source: int) -> None:
        """Until the other side hangs up; what is on its way then is cancelled, and its end waited for."""
        while True:
            ready = select.select([source], [], [], _STEP if self._tasks else None)[0]
            if ready:
                data = os.read(source, 65536)
                if not data:
                    break
                self._input += data
                *lines, self._input = self._input.split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
            self._step_all()
        for task in self._tasks.values():
            self._cancel(task)
        until = time.monotonic() + 10
        while self._tasks and time.monotonic() < until:
            self._step_all()
            time.sleep(_STEP)

    def say(self, **message: Any) -> None:
        data = json.dumps(message).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError:
            # Nobody listens any more: the end of the input says the same in a moment.
            return

    def _take(self, message: Mapping[str, Any]) -> None:
        if "cancel" in message:
            task = self._tasks.get(message["cancel"])
            if task:
                self._cancel(task)
            return
        number = message["id"]
        try:
            result = TASKS[message["do"]](self._api, **message["with"])
        except Exception as error:
            self._failed(number, error)
            return
        if hasattr(result, "send"):
            self._tasks[number] = _Task(number, result)
        else:
            self.say(id=number, done=result)

    def _cancel(self, task: _Task) -> None:
        task.cancelled = True
        if hasattr(task.waiting, "cancelable"):
            try:
                if task.waiting.cancelable and not task.waiting.completed:
                    task.waiting.cancel()
            except Exception as error:
                sys.stderr.write(f"{text(error)}\n")

    def _step_all(self) -> None:
        for task in tuple(self._tasks.values()):
            try:
                if self._is_due(task):
                    self._advance(task)
            except (Exception, Cancelled) as error:
                self._tasks.pop(task.number, None)
                self._failed(task.number, error)

    def _is_due(self, task: _Task) -> bool:
        now = time.monotonic()
        waiting = task.waiting
        if waiting is None or isinstance(waiting, (int, float)):
            due = task.cancelled or now >= task.until
        else:
            due = bool(waiting.completed)
            percent = int(waiting.percent)
            if percent != task.percent and not due:
                task.percent, task.told = percent, now
                self.say(id=task.number, progress=percent)
        if not due and now > task.told + _SIGN_OF_LIFE:
            task.told = now
            self.say(id=task.number, progress=max(task.percent, 0))
        return due

    def _advance(self, task: _Task) -> None:
        """On to the next thing to wait for; what it waited for may have failed."""
        waiting, task.waiting, task.percent = task.waiting, None, -1
        try:
            if task.cancelled:
                task.waiting = task.steps.throw(Cancelled())
                task.cancelled = False
            elif waiting is not None and not isinstance(waiting, (int, float)) and waiting.resultCode:
                task.waiting = task.steps.throw(_Failure(waiting))
            else:
                task.waiting = next(task.steps)
        except StopIteration as end:
            del self._tasks[task.number]
            self.say(id=task.number, done=end.value)
            return
        if isinstance(task.waiting, (int, float)):
            task.until = time.monotonic() + task.waiting

    def _failed(self, number: int, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            self.say(id=number, failed="cancelled", kind="cancelled")
        elif isinstance(error, Refused):
            self.say(id=number, failed=str(error), kind=error.kind)
        elif code(error) or isinstance(error, _Failure):
            # A daemon that has gone has many numbers for it.
            gone = not self._answers()
            kind = "gone" if gone else ""
            self.say(id=number, failed=text(error), code=code(error), kind=kind)
            if gone:
                os._exit(3)
        else:
            self.say(id=number, failed=repr(error), kind="bug", trace=traceback.format_exc())

    def _answers(self) -> bool:
        try:
            return bool(self._api.box.version)
        except Exception:
            return False


class _Failure(Exception):
    """What VirtualBox did by itself came to nothing."""

    def __init__(self, progress: Any) -> None:
        self.errno = progress.resultCode
        texts: list[str] = []
        info = progress.errorInfo
        while info is not None:
            texts.append(info.text)
            info = info.next
        self.msg = "\n".join(filter(None, texts))
        super().__init__(self.msg)


def main() -> None:
    out = own_output()
    try:
        api = Api()
    except Exception as error:
        line = {"missing" if isinstance(error, ImportError) else "unusable": text(error)}
        os.write(out, json.dumps(line).encode() + b"\n")
        raise SystemExit(2) from None
    loop = Loop(api, out)
    loop.say(ready=api.box.version)
    loop.run(0)
    # The API's own end takes objects apart in an order that Python does not keep.
    os._exit(0)
