"""Editing what describes a machine: its part of the project file here, or the file in the user's editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BoxwrightError
from core.model.problem import Problem
from tui.views.config import file_of

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


class Edits:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    async def here(self) -> None:
        """The part of the selected machine, in a dialog."""
        from core.projects.part import machine_part, put_back
        from tui.dialogs.editing import Editing

        machine = self._bench.choice.machine
        if machine is None:
            self._bench.say("Edit: no machine is selected.", "warn")
            return
        file = file_of(machine, self._bench.bridge.state)
        if file is None:
            self._bench.say("Edit: the project has no boxwright.toml; E opens its file.", "warn")
            return
        part = machine_part(file, machine.name)

        def take(text: str) -> Problem | None:
            try:
                put_back(part, text)
            except BoxwrightError as error:
                return error.problem
            return None

        written = await self._app.push_screen_wait(Editing(f"{machine.name} in {file}", part.text, take))
        if written is not None:
            self._told(file)

    async def in_editor(self) -> None:
        """A copy of the project's file, which takes its place once it is right."""
        from core.projects.part import Part, put_back
        from core.projects.reader import read_source
        from tui.dialogs.editing import Editing

        root = self._bench.choice.project
        if not root:
            self._bench.say("Editor: there is no project here.", "warn")
            return
        view = self._bench.bridge.state.projects.get(root)
        file = Path(view.file) if view is not None and view.file else Path(root) / "boxwright.toml"
        source = read_source(file)
        whole = Part(file, source, 0, len(source.splitlines()))
        text = self._edited(file.name, source, self._line(file))

        def take(changed: str) -> Problem | None:
            try:
                put_back(whole, changed)
            except BoxwrightError as error:
                return error.problem
            return None

        if text == source:
            return
        problem = take(text)
        if problem is not None:
            # What was written is not lost: it can be mended here.
            editing = Editing(f"{file}: {problem.what}", text, take)
            if await self._app.push_screen_wait(editing) is None:
                return
        self._told(file)

    def _line(self, file: Path) -> int:
        from core.projects.part import machine_part

        machine = self._bench.choice.machine
        try:
            return machine_part(file, machine.name).first + 1 if machine is not None else 1
        except BoxwrightError:
            return 1

    def _edited(self, name: str, source: str, line: int) -> str:
        """The text as the user's editor leaves it. Raises BoxwrightError."""
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        with tempfile.TemporaryDirectory(prefix="boxwright-") as folder:
            copy = Path(folder) / name
            copy.write_text(source, encoding="utf-8")
            words = [*shlex.split(editor), *([f"+{line}"] if _counts_lines(editor) else []), str(copy)]
            with self._app.suspend():
                try:
                    subprocess.run(words, check=False)
                except OSError as error:
                    raise BoxwrightError(
                        f"The editor {editor!r} does not start.",
                        why=os.strerror(error.errno or 0),
                        remedy="set EDITOR to one that is installed",
                    ) from error
            self._app.refresh(layout=True)
            return copy.read_text(encoding="utf-8")

    def _told(self, file: Path) -> None:
        self._bench.bridge.want_project(self._bench.choice.project or str(file.parent))
        self._bench.say(
            f"{self._app.look.signs.done} Wrote {file}; r brings a machine in line with it.", "good"
        )


def _counts_lines(editor: str) -> bool:
    return Path(shlex.split(editor)[0]).name in ("vi", "vim", "nvim", "nano", "emacs", "micro", "kak")
