"""Mouse events as a guest has asked to be told of them."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tui.console.screen import Screen

LEFT, MIDDLE, RIGHT, NONE = 0, 1, 2, 3
WHEEL_UP, WHEEL_DOWN, WHEEL_LEFT, WHEEL_RIGHT = 64, 65, 66, 67
_SHIFT, _ALT, _CTRL, _MOTION = 4, 8, 16, 32


class Tracking(enum.IntEnum):
    """The number of the mode (DECSET) that asks for it."""

    OFF = 0
    PRESSES = 9
    BUTTONS = 1000
    DRAGS = 1002
    MOVES = 1003


class Format(enum.IntEnum):
    PLAIN = 0
    UTF8 = 1005
    SGR = 1006
    URXVT = 1015
    PIXELS = 1016


class MouseModes(NamedTuple):
    tracking: Tracking
    format: Format


class Action(enum.Enum):
    PRESS = enum.auto()
    RELEASE = enum.auto()
    MOVE = enum.auto()


class MouseEvent(NamedTuple):
    """``button``: for a move the one that is held, or NONE."""

    action: Action
    button: int
    x: int
    y: int
    shift: bool = False
    alt: bool = False
    ctrl: bool = False


_CELL = 8, 16
"""Pixels of a cell, as the screen reports them."""


def encode(event: MouseEvent, modes: MouseModes) -> bytes:
    """b"" for what the guest does not want to know."""
    if not _wanted(event, modes.tracking):
        return b""
    code = event.button
    if modes.tracking is not Tracking.PRESSES:
        code += event.shift * _SHIFT + event.alt * _ALT + event.ctrl * _CTRL
    if event.action is Action.MOVE:
        code += _MOTION
    x, y = event.x + 1, event.y + 1
    if modes.format in (Format.SGR, Format.PIXELS):
        if modes.format is Format.PIXELS:
            x, y = event.x * _CELL[0] + _CELL[0] // 2, event.y * _CELL[1] + _CELL[1] // 2
        return f"\x1b[<{code};{x};{y}{'m' if event.action is Action.RELEASE else 'M'}".encode()
    if event.action is Action.RELEASE:
        code |= NONE
    if modes.format is Format.URXVT:
        return f"\x1b[{code + 32};{x};{y}M".encode()
    if modes.format is Format.UTF8:
        return b"\x1b[M" + "".join(chr(32 + number) for number in (code, x, y)).encode()
    # Beyond column 223 there is no number for it.
    return b"\x1b[M" + bytes([32 + code, 32 + x, 32 + y]) if max(x, y) < 224 else b""


def _wanted(event: MouseEvent, tracking: Tracking) -> bool:
    match event.action:
        case Action.PRESS:
            return tracking is not Tracking.OFF and not (
                tracking is Tracking.PRESSES and event.button >= WHEEL_UP
            )
        case Action.RELEASE:
            return tracking >= Tracking.BUTTONS
        case Action.MOVE:
            return tracking is Tracking.MOVES or (tracking is Tracking.DRAGS and event.button != NONE)


def told(screen: Screen, event: MouseEvent) -> bytes | None:
    """What the guest is told of it now; None where it does not care, and the workbench may use it."""
    modes = screen.modes
    if modes.mouse.tracking is not Tracking.OFF:
        return encode(event, modes.mouse)
    if screen.alternate and event.button in (WHEEL_UP, WHEEL_DOWN):
        # A pager without mouse is scrolled by cursor keys.
        return screen.key("up" if event.button == WHEEL_UP else "down", None) * 3
    return None
