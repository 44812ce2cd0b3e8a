"""A build whose step failed asks in the terminal what to do, and takes the answer from wherever it comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.model.problem import ExitCode
from tests.cli.conftest import Run
from tests.cli.terminal import TerminalRun

PROMPT = "retry/keep/clean/abort?"


@pytest.mark.usefixtures("server", "stage")
def test_a_shell_in_the_guest_then_the_step_again_and_the_build_goes_on(shop: Path) -> None:
    with TerminalRun("build", "base", "--on-error=ask", columns=100) as run:
        run.wait_for("retry/keep/clean/abort/shell?")
        assert "shell: script.sh failed" in run.shown
        run.type("nonsense\n")
        run.wait_for("'nonsense' is none of them.")
        run.type("shell\n")
        run.type("echo in the $((40 + 2)) shell\n")
        run.wait_for("in the 42 shell")
        run.type("exit\n")
        (shop / "mended").touch()
        run.wait_until(lambda: run.shown.endswith("abort/shell?"), "the question again")
        run.type("r\n")
        assert run.end() == ExitCode.DONE
        assert "✓ build base" in run.shown


@pytest.mark.usefixtures("stage")
def test_the_answer_may_come_from_another_terminal(shop: Path, boxwright: Run) -> None:
    with TerminalRun("build", "base", "--on-error=ask", columns=100) as run:
        run.wait_for(PROMPT)
        assert boxwright("answer", "nothing", "abort").code == ExitCode.NOT_FOUND
        assert boxwright("answer", "maybe").code == ExitCode.USAGE
        assert "asks: shell: script.sh failed" in boxwright("ops", "--running").out
        assert boxwright("answer", "abort").code == ExitCode.DONE
        run.wait_for("It was answered elsewhere.")
        assert run.end() == ExitCode.FAILED
        assert "The script failed." in run.shown


@pytest.mark.usefixtures("stage")
def test_ctrl_c_at_the_question_cancels_the_build(shop: Path) -> None:
    with TerminalRun("build", "base", "--on-error=ask", columns=100) as run:
        run.wait_for(PROMPT)
        run.type("\x03")
        assert run.end() == ExitCode.CANCELLED
        assert "build base was cancelled." in run.shown


@pytest.mark.usefixtures("stage")
def test_with_timestamps_each_line_has_its_time(shop: Path, boxwright: Run) -> None:
    ran = boxwright("build", "base", "--timestamps")
    assert ran.code == ExitCode.DONE
    lines = (ran.out + ran.err).splitlines()
    assert any(line.endswith("[base]   building") for line in lines)
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: ", line) for line in lines)
