"""Operations as plain lines."""

from __future__ import annotations

import io

from core.cli.lines import Piece
from core.cli.look import Look
from core.cli.plain import PlainLines
from core.model.operation import Progress, StepState
from tests.cli.boards import board, operation, step


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_steps_output_stands_between_its_beginning_and_its_end() -> None:
    out = io.StringIO()
    display = PlainLines(out, Look())
    made = board(operation(), step(1, "Box", StepState.CACHED))
    early = {"000001": [Piece(2, b"hello\nwor"), Piece(3, b"other\n")]}
    display.tick(made, ["000001"], early)
    made.put_step(step(2, "Provision", StepState.DONE))
    made.put_step(step(3, "Clean up", StepState.SKIPPED, detail="nothing there"))
    display.tick(made, ["000001"], {"000001": [Piece(2, b"ld\n")]})
    made.put(operation(state=StepState.DONE, ended=99.0))
    display.close(made, ["000001"])
    assert out.getvalue().splitlines() == [
        "[web] Box: cached",
        "[web] Provision",
        "[web]   hello",
        "[web] Clean up: skipped (nothing there)",
        "[web]   other",
        "[web]   world",
        "[web] Provision: done in 3.0 s",
        "[web] up web: done in 9.0 s",
    ]


def test_an_unfinished_last_line_is_printed_at_the_end() -> None:
    out = io.StringIO()
    display = PlainLines(out, Look())
    made = board(operation(state=StepState.FAILED, ended=99.0), step(1, "Run", StepState.FAILED))
    display.tick(made, ["000001"], {"000001": [Piece(1, b"no newline")]})
    assert out.getvalue().splitlines() == [
        "[web] Run",
        "[web]   no newline",
        "[web] Run: failed",
        "[web] up web: failed",
    ]


def test_each_line_names_its_machine() -> None:
    out = io.StringIO()
    display = PlainLines(out, Look())
    made = board(operation(), operation("000002", "up db"))
    grown = {"000001": [Piece(0, b"a\n")], "000002": [Piece(0, b"b\n")]}
    display.tick(made, ["000001", "000002"], grown)
    assert out.getvalue().splitlines() == ["[web]   a", "[db]   b"]


def test_a_long_step_tells_now_and_then_how_far_it_is() -> None:
    out = io.StringIO()
    clock = Clock()
    display = PlainLines(out, Look(), steady=clock)
    for second in range(31):
        clock.now = float(second)
        made = board(operation(), step(1, "Download", progress=Progress(second * 10.0, 400.0, "bytes")))
        display.tick(made, ["000001"], {})
    assert out.getvalue().splitlines() == [
        "[web] Download",
        "[web] Download: 25 %",
        "[web] Download: 50 %",
        "[web] Download: 75 %",
    ]


def test_who_is_waited_for_is_told_once() -> None:
    out = io.StringIO()
    display = PlainLines(out, Look())
    waiting = board(operation(state=StepState.WAITING, started=0.0, detail="waits for halt web"))
    for _ in range(3):
        display.tick(waiting, ["000001"], {})
    assert out.getvalue() == "[web] waits for halt web\n"


def test_escape_sequences_of_guests_do_not_reach_a_file() -> None:
    out = io.StringIO()
    PlainLines(out, Look()).tick(
        board(operation()), ["000001"], {"000001": [Piece(0, b"\x1b[31mred\x1b[0m\x1b[2J\x07\n")]}
    )
    assert out.getvalue() == "[web]   red\n"


def test_a_step_whose_end_nobody_told_of_ends_with_its_operation() -> None:
    out = io.StringIO()
    display = PlainLines(out, Look())
    made = board(operation(), step(1, "Wait for SSH"))
    display.tick(made, ["000001"], {})
    made.put(operation(state=StepState.FAILED, ended=99.0))
    display.close(made, ["000001"])
    assert out.getvalue().splitlines() == [
        "[web] Wait for SSH",
        "[web] Wait for SSH: failed (cut off)",
        "[web] up web: failed",
    ]
