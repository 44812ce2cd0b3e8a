"""Types a boot command into a machine, and says how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.builds.qemu.boot_command import SHIFT, Key, Piece, Wait, seconds
from core.builds.qemu.screen import Screen
from core.model.work import Work

_SHOWN = 40


async def type_all(
    screen: Screen, pieces: Sequence[Piece], *, interval: float, between: float, work: Work
) -> None:
    """``interval`` seconds lie between a key's going down and up and the next one, ``between`` after
    each wait. What is typed is shown as it is typed."""
    total = seconds(tuple(pieces), interval)
    done = 0.0
    typed = ""
    for piece in pieces:
        if isinstance(piece, Wait):
            work.note(f"{_end(typed)} (waiting {piece.seconds:g} s)")
            await asyncio.sleep(piece.seconds + between)
            done += piece.seconds
        else:
            typed += _name(piece)
            work.note(_end(typed))
            await _press(screen, piece, interval)
            done += 2 * interval
        work.progress(min(done, total), total, "s")
    work.write(f"{typed}\n".encode())


async def _press(screen: Screen, key: Key, interval: float) -> None:
    if key.turn != "up":
        if key.shifted:
            await screen.key(SHIFT, down=True)
        await screen.key(key.symbol, down=True)
        await asyncio.sleep(interval)
    if key.turn != "down":
        await screen.key(key.symbol, down=False)
        if key.shifted:
            await screen.key(SHIFT, down=False)
        await asyncio.sleep(interval)


def _name(key: Key) -> str:
    if len(key.name) == 1 and key.turn == "press":
        return key.name
    ending = {"press": "", "down": "On", "up": "Off"}[key.turn]
    return f"<{key.name}{ending}>"


def _end(typed: str) -> str:
    return typed if len(typed) <= _SHOWN else f"…{typed[-_SHOWN:]}"
