"""The screen of a machine, or of the one that a build works on, as a picture that follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.worker import Worker

from core.errors import BoxwrightError
from tui.builds.drawing import line
from tui.look.lines import Part, clean, cut_left, width_of
from tui.look.painted import Painted
from tui.new_file import new_file

if TYPE_CHECKING:
    from core.builds.qemu.picture import Picture
    from core.builds.qemu.screen import Screen
    from tui.builds.drawing import Cell

_EVERY = 0.5
_EVERY_CALM = 2.0
"""Seconds between two looks."""


class ScreenView(Painted, can_focus=True):
    """Looks only while it is shown. The last line says what is being done with the machine."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._screens: dict[str, str] = {}
        self._source = ""
        self._caption: Sequence[Part] = ()
        self.picture: Picture | None = None
        self._cells: list[list[Cell]] = []
        self._fitted = (0, 0)
        self._why = ""
        self._looking: Worker[None] | None = None

    def show(self, screens: Mapping[str, str], caption: Sequence[Part]) -> None:
        """``screens``: sockets that speak VNC, by machine or source. ``caption``: what is being done."""
        before = self._socket
        self._screens = dict(screens)
        if self._source not in self._screens:
            self._source = min(self._screens, default="")
        if self._socket != before:
            self._forget()
        if caption != self._caption:
            self._caption = caption
            self.refresh()
        self._look()

    def next_source(self) -> bool:
        """To the machine of the next source; False where there is only one."""
        names = sorted(self._screens)
        if len(names) < 2:
            return False
        self._source = names[(names.index(self._source) + 1) % len(names)]
        self._forget()
        self._look()
        return True

    @property
    def source(self) -> str:
        return self._source

    @property
    def _socket(self) -> str:
        return self._screens.get(self._source, "")

    def _forget(self) -> None:
        self.picture, self._cells, self._why = None, [], ""
        self.refresh()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    # Looking.

    def on_show(self) -> None:
        self._look()

    def on_hide(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look(self) -> None:
        if self._socket and self._looking is None and self.is_mounted and self.display:
            self._looking = self.run_worker(self._follow(self._socket), group="screen", exclusive=True)

    async def _follow(self, socket: str) -> None:
        from core.builds.qemu.screen import Screen

        screen: Screen | None = None
        try:
            while True:
                try:
                    screen = screen or await Screen.open(Path(socket))
                    await self._take(await screen.picture())
                except BoxwrightError as error:
                    if screen is not None:
                        await screen.close()
                    screen = None
                    self._why = error.problem.what
                    self.refresh()
                await asyncio.sleep(_EVERY_CALM if self.look.terminal.calm else _EVERY)
        finally:
            if screen is not None:
                await screen.close()

    async def _take(self, picture: Picture) -> None:
        room = self.size.width, self.size.height - 1
        if min(room) < 1 or (self._cells and picture == self.picture and room == self._fitted):
            return
        self._cells = await asyncio.to_thread(picture.blocks, *room)
        self.picture, self._fitted, self._why = picture, room, ""
        self.refresh()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == self.size.height - 1:
            return self.line(self._words(), width)
        if y < len(self._cells):
            return Strip.join([line(self._cells[y], self.look.terminal), self.blank(width)]).crop(0, width)
        if not self._cells and y == 0:
            return self.line([("" if self._why else "Looking at the screen.", "muted")], width)
        return self.blank(width)

    def _words(self) -> list[Part]:
        size = f" {self.picture.width} x {self.picture.height}" if self.picture is not None else ""
        said = [(self._why, "warn")] if self._why else self._caption
        parts: list[Part] = [(clean(self._source), "!text"), (f"{size}  ", "muted"), *said]
        # Of what is typed the end is news.
        *head, (text, role) = parts
        room = max(0, self.size.width - width_of(head))
        return [*head, (cut_left(text, room, self.signs.ellipsis), role)]


def save(picture: Picture, name: str) -> None:
    """Write it as PNG to a new file. Raises BoxwrightError."""
    with new_file(name) as file:
        file.write(picture.png())
