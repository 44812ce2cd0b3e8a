"""Editing what describes a machine or a build: its part of the file here, or files in the user's editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core import amounts
from core.errors import BoxwrightError
from core.model.problem import Problem
from tui.keys import spoken
from tui.settings import NOTHING_YET
from tui.views.config import Described, described, stamp

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
        """The part of the selected machine or build, in a dialog; after a step that failed its scripts, in
        the user's editor."""
        from core.projects.part import put_back
        from tui.dialogs.editing import Editing

        if await self._scripts():
            return
        found = self._described()
        if found is None or not (found.section or found.fixed):
            self._bench.say("Edit: no machine or build is selected.", "warn")
            return
        if found.fixed:
            # A template has no part that could be checked by itself.
            await self.in_editor()
            await self._ask_again()
            return
        part, file = found.part(), found.files[0]

        def take(text: str) -> Problem | None:
            try:
                put_back(part, text)
            except BoxwrightError as error:
                return error.problem
            return None

        written = await self._app.push_screen_wait(
            Editing(f"{found.name} in {file}", part.text, take, first=part.first + 1)
        )
        if written is not None:
            self._told(file)
            await self._ask_again()

    async def in_editor(self) -> None:
        """A copy of the project's file, which takes its place once it is right; templates themselves."""
        from core.projects.part import Part, put_back
        from core.projects.reader import read_source
        from tui.dialogs.editing import Editing

        found = self._described()
        if found is None:
            self._bench.say("Editor: there is no project here.", "warn")
            return
        if found.fixed:
            before = [stamp(file) for file in found.files]
            self._run_editor(found.files)
            if [stamp(file) for file in found.files] != before:
                self._told(*found.files)
            return
        file = found.files[0]
        source = read_source(file)
        whole = Part(file, source, 0, len(source.splitlines()))
        text = self._edited(file.name, source, self._line(found))

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

    async def settings(self, file: Path) -> None:
        """What is written there is in force a moment later. Raises BoxwrightError."""
        _begin(file)
        self._run_editor((file,))
        self._bench.say(str(file), "muted")

    async def _scripts(self) -> bool:
        """Those that the step reads again when it is retried, and then the question of a build; False where
        there is nothing of that kind."""
        choice = self._bench.choice
        if choice.build is not None and choice.build.question and choice.build.files:
            self._run_editor([Path(file) for file in choice.build.files])
            await self._ask_again()
            return True
        scripts = self._bench.detail.failed_files()
        if not scripts:
            return False
        before = [stamp(script) for script in scripts]
        self._run_editor(scripts)
        keys = self._bench.keymap
        retry, file = (spoken(keys.key(f"workbench.{id}")) for id in ("again", "editor"))
        done = "Wrote" if [stamp(script) for script in scripts] != before else "Unchanged:"
        names = amounts.listed([script.name for script in scripts])
        self._bench.say(
            f"{done} {names}; {retry} retries from there, {file} edits the project's file.", "good"
        )
        return True

    async def _ask_again(self) -> None:
        """Where the build waits for an answer: a retry takes what was written."""
        choice = self._bench.choice
        if choice.build is not None and choice.build.question:
            await self._actions.answering.ask(choice)

    def _described(self) -> Described | None:
        return described(self._bench.choice, self._bench.bridge.state)

    def _line(self, found: Described) -> int:
        try:
            return found.part().first + 1 if found.section else 1
        except BoxwrightError:
            return 1

    def _edited(self, name: str, source: str, line: int) -> str:
        """The text as the user's editor leaves it. Raises BoxwrightError."""
        with tempfile.TemporaryDirectory(prefix="boxwright-") as folder:
            copy = Path(folder) / name
            copy.write_text(source, encoding="utf-8")
            self._run_editor((copy,), line)
            return copy.read_text(encoding="utf-8")

    def _run_editor(self, files: Sequence[Path], line: int = 0) -> None:
        """In place of the workbench, until it ends. Raises BoxwrightError."""
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        place = [f"+{line}"] if line and _counts_lines(editor) else []
        with self._app.suspend():
            try:
                subprocess.run([*shlex.split(editor), *place, *map(str, files)], check=False)
            except OSError as error:
                raise BoxwrightError(
                    f"The editor {editor!r} does not start.",
                    why=os.strerror(error.errno or 0),
                    remedy="set EDITOR to one that is installed",
                ) from error
        self._app.refresh(layout=True)

    def _told(self, *files: Path) -> None:
        choice = self._bench.choice
        self._bench.bridge.want_project(choice.project or str(files[0].parent))
        after = "b builds with it" if choice.build is not None else "r brings a machine in line with it"
        written = amounts.listed([str(file) for file in files])
        self._bench.say(f"{self._app.look.signs.done} Wrote {written}; {after}.", "good")


def _begin(settings: Path) -> None:
    if not settings.exists():
        settings.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.write_text(NOTHING_YET, encoding="utf-8")


def _counts_lines(editor: str) -> bool:
    return Path(shlex.split(editor)[0]).name in ("vi", "vim", "nvim", "nano", "emacs", "micro", "kak")
