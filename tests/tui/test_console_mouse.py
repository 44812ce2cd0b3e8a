"""Mouse events as guests asked for them."""

from __future__ import annotations

import pytest

from tui.console.mouse import (
    LEFT,
    NONE,
    RIGHT,
    WHEEL_DOWN,
    WHEEL_UP,
    Action,
    Format,
    MouseEvent,
    MouseModes,
    Tracking,
    encode,
)  # fmt: skip

PRESS, RELEASE, MOVE = Action.PRESS, Action.RELEASE, Action.MOVE


@pytest.mark.parametrize(
    ("event", "tracking", "format", "data"),
    [
        (MouseEvent(PRESS, LEFT, 4, 2), Tracking.OFF, Format.SGR, b""),
        (MouseEvent(PRESS, LEFT, 4, 2), Tracking.BUTTONS, Format.SGR, b"\x1b[<0;5;3M"),
        (MouseEvent(RELEASE, LEFT, 4, 2), Tracking.BUTTONS, Format.SGR, b"\x1b[<0;5;3m"),
        (MouseEvent(PRESS, RIGHT, 4, 2, True, True, True), Tracking.BUTTONS, Format.SGR, b"\x1b[<30;5;3M"),
        (MouseEvent(MOVE, LEFT, 4, 2), Tracking.BUTTONS, Format.SGR, b""),
        (MouseEvent(MOVE, LEFT, 4, 2), Tracking.DRAGS, Format.SGR, b"\x1b[<32;5;3M"),
        (MouseEvent(MOVE, NONE, 4, 2), Tracking.DRAGS, Format.SGR, b""),
        (MouseEvent(MOVE, NONE, 4, 2), Tracking.MOVES, Format.SGR, b"\x1b[<35;5;3M"),
        (MouseEvent(PRESS, WHEEL_UP, 4, 2), Tracking.BUTTONS, Format.SGR, b"\x1b[<64;5;3M"),
        (MouseEvent(PRESS, WHEEL_DOWN, 4, 2), Tracking.PRESSES, Format.PLAIN, b""),
        (MouseEvent(PRESS, LEFT, 4, 2, ctrl=True), Tracking.PRESSES, Format.PLAIN, b"\x1b[M %#"),
        (MouseEvent(RELEASE, LEFT, 4, 2), Tracking.PRESSES, Format.PLAIN, b""),
        (MouseEvent(RELEASE, LEFT, 4, 2), Tracking.BUTTONS, Format.PLAIN, b"\x1b[M#%#"),
        (MouseEvent(PRESS, LEFT, 300, 2), Tracking.BUTTONS, Format.PLAIN, b""),
        (MouseEvent(PRESS, LEFT, 300, 2), Tracking.BUTTONS, Format.UTF8, "\x1b[M \u014d#".encode()),
        (MouseEvent(PRESS, LEFT, 300, 2), Tracking.BUTTONS, Format.URXVT, b"\x1b[32;301;3M"),
        (MouseEvent(PRESS, LEFT, 1, 1), Tracking.BUTTONS, Format.PIXELS, b"\x1b[<0;12;24M"),
    ],
)
def test_an_event(event: MouseEvent, tracking: Tracking, format: Format, data: bytes) -> None:
    assert encode(event, MouseModes(tracking, format)) == data
