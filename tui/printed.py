"""Commands that print: run as from a shell, and their output is shown in a page to scroll."""

from __future__ import annotations

import asyncio
import codecs
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.commands import CommandSpec, Subject
from tui.keys import Keymap, spoken
from tui.typed import verb_of

if TYPE_CHECKING:
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench

PRINTING = frozenset({"box.search", "box.outdated"})
"""Operations of which only what they print is wanted."""

_IN_A_TAB = {
    "machine.ssh": "opens a shell here",
    "machine.serial": "opens the serial console here",
    "build.screen": "shows the screen here",
    "operation.logs": "shows the log here, as it grows",
}
"""What has a tab of its own, opened by the command's key."""

_NOT_HERE = {
    "template.console": "it needs a terminal of its own",
    "workbench": "this is it",
    "engine.stop": "the workbench needs the engine",
}
"""What cannot be shown at all, and why."""

PROGRAM = (sys.executable, "-P", "-m", "core.cli.main")
_FOLLOWS = ("-f", "--follow")
_PIECE = 1 << 16
_WORDS = ("-q", "--no-colour")
"""Results and errors only, without escape sequences."""

HELP = CommandSpec(id="help", verb=("help",), title="Help", help="What one command takes.")
"""The command line's own; it is no command of the registry."""


def printing(line: str) -> CommandSpec | None:
    """The command of a line as it is typed in a shell, where all that it does is print."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if words[:1] == [HELP.name]:
        return HELP
    spec = verb_of(words)
    return spec if spec is not None and (spec.struct is None or spec.id in PRINTING) else None


def obstacle(spec: CommandSpec, words: Sequence[str], keymap: Keymap) -> str:
    """Why the output of a command cannot be shown in a page; "" where it can."""
    if spec.id in _IN_A_TAB and (spec.id != "operation.logs" or set(words) & set(_FOLLOWS)):
        return f"{spoken(keymap.key(spec.id))} {_IN_A_TAB[spec.id]}".strip()
    return _NOT_HERE.get(spec.id, "")


async def run(words: Sequence[str], project: str, said: Callable[[str], None]) -> bool:
    """Run ``boxwright`` with ``words``, in the folder of the workbench, about ``project``, and hand over
    what it prints as it comes; whether it went well."""
    named = any(word.partition("=")[0] == "--project" for word in words)
    chosen = ("--project", project) if project and not named else ()
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *_WORDS, *chosen, *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        while data := await process.stdout.read(_PIECE):
            said(decoder.decode(data))
        said(decoder.decode(b"", final=True))
        return await process.wait() == 0
    except asyncio.CancelledError:
        process.terminate()
        raise


class Pages:
    """Shows what commands print."""

    def __init__(self, app: BoxwrightApp, workbench: Workbench) -> None:
        self._app = app
        self._bench = workbench

    async def show(self, spec: CommandSpec, words: Sequence[str]) -> None:
        from tui.dialogs.printing import Printing

        line = shlex.join(["boxwright", *words])
        reason = obstacle(spec, words, self._bench.keymap)
        if reason:
            self._bench.say(f"{spec.title}: {reason}. From a shell: {line}", "warn")
            return
        about = self._bench.choice.project if spec.subject is Subject.MACHINE else ""
        shown = "" if spec.id == "project.init" else about or self._bench.lists.project
        await self._app.push_screen_wait(Printing(f"$ {line}", partial(run, words, shown)))
