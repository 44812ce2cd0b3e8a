"""In a real terminal: the live tree, Ctrl-C, questions, shells of three kinds."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from core.model.problem import ExitCode
from tests.cli.conftest import Run
from tests.cli.terminal import TerminalRun

pytestmark = pytest.mark.usefixtures("stage")


def test_the_tree_is_drawn_in_place_and_stays_at_the_end(shop: Path) -> None:
    with TerminalRun("up", "web", "noisy") as run:
        assert run.end() == ExitCode.DONE
        shown = run.shown
    assert len(re.findall(r"✓ up web", shown)) == 1
    assert len(re.findall(r"✓ up noisy", shown)) == 1
    assert "cached" in shown
    assert "⠋" not in shown


def test_ctrl_c_cancels_waits_for_the_undo_and_says_so(shop: Path) -> None:
    with TerminalRun("up", "slow") as run:
        run.wait_for("│ waiting")
        run.type("\x03")
        assert run.end() == ExitCode.CANCELLED
        shown = run.shown
    assert "Cancelling; what was begun is being undone." in shown
    assert "⊘ up slow  cancelled" in shown
    assert "up slow was cancelled." in shown
    assert "Traceback" not in shown
    assert (shop / "undone-slow").exists()


def test_ctrl_c_twice_lets_go_and_the_engine_goes_on(shop: Path, boxwright: Run) -> None:
    with TerminalRun("up", "stubborn") as run:
        run.wait_for("│ waiting")
        run.type("\x03")
        run.wait_for("Cancelling")
        run.type("\x03")
        assert run.end() == ExitCode.CANCELLED
        shown = run.shown
    assert "up stubborn goes on in the engine: boxwright logs -f 000001" in shown
    assert not (shop / "undone-stubborn").exists()
    assert "running" in boxwright("ops", "--running").out
    (shop / "release").touch()
    assert boxwright("logs", "-f", "1").code == ExitCode.CANCELLED
    assert (shop / "undone-stubborn").exists()


def test_two_quick_ctrl_c_cancel_and_let_go(shop: Path) -> None:
    with TerminalRun("up", "stubborn") as run:
        run.wait_for("│ waiting")
        run.process.send_signal(signal.SIGINT)
        run.process.send_signal(signal.SIGTERM)
        run.wait_for("goes on in the engine")
        assert run.end() == ExitCode.CANCELLED
    (shop / "release").touch()


def test_sigterm_cancels_too(shop: Path) -> None:
    with TerminalRun("up", "slow") as run:
        run.wait_for("│ waiting")
        run.process.terminate()
        assert run.end() == ExitCode.CANCELLED
    assert (shop / "undone-slow").exists()


def test_one_that_ends_by_kill_leaves_the_work_to_the_engine(shop: Path, boxwright: Run) -> None:
    with TerminalRun("up", "slow") as run:
        run.wait_for("│ waiting")
        run.process.kill()
        run.process.wait()
    assert "up slow" in boxwright("ops", "--running").out
    assert "cancelled; what it began is undone" in boxwright("ops", "cancel", "1").out


def test_a_narrow_terminal_that_is_resized_shows_one_tree(shop: Path) -> None:
    with TerminalRun("up", "slow", columns=60) as run:
        run.wait_for("│ waiting")
        for columns in (40, 30, 72):
            run.resize(columns, 24)
            run.wait_until(partial(_fills, run, columns), "a frame of the new width")
            assert run.shown.count("up slow") == 1
            assert run.shown.count("waiting") == 1
        run.type("\x03")
        assert run.end() == ExitCode.CANCELLED


def _fills(run: TerminalRun, columns: int) -> bool:
    return any(len(line) == columns - 1 for line in run.shown.split("\n"))


def test_no_frame_is_faster_than_ten_a_second(shop: Path) -> None:
    with TerminalRun("up", "slow") as run:
        run.wait_for("│ waiting")
        before = run.raw.count(b"\x1b[?2026h")
        run.wait_until(lambda: run.raw.count(b"\x1b[?2026h") >= before + 5, "frames")
        elapsed = re.findall(r"up slow +(\d+\.\d) s", run.shown)
        run.type("\x03")
        run.end()
        frames = run.raw.count(b"\x1b[?2026h")
    assert elapsed
    assert frames <= (float(elapsed[0]) + 2.0) * 12 + 10


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": "dumb", "NO_COLOR": "1"}])
def test_dumb_terminals_get_plain_lines(shop: Path, env: dict[str, str]) -> None:
    with TerminalRun("up", "web", env=env) as run:
        assert run.end() == ExitCode.DONE
        assert b"\x1b" not in run.raw
        assert "[web]   hello from web" in run.shown


def test_no_color_keeps_the_tree_without_colours(shop: Path) -> None:
    for words, env in ((("up", "noisy"), {"NO_COLOR": "1"}), (("--no-colour", "up", "noisy"), {})):
        with TerminalRun(*words, env=env) as run:
            assert run.end() == ExitCode.DONE
            assert re.search(rb"\x1b\[[0-9;]*m", bytes(run.raw)) is None
            assert "✓ up noisy" in run.shown


def test_verbose_keeps_every_line_above_the_tree(shop: Path) -> None:
    with TerminalRun("up", "web", "-v") as run:
        assert run.end() == ExitCode.DONE
        assert run.shown.index("hello from web") < run.shown.index("✓ up web")


def test_a_question_names_what_goes_and_what_stays(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    with TerminalRun("destroy", "web") as run:
        shown = run.wait_for("[y/N]")
        assert "goes   web (running) with its disks" in shown
        assert "stays  the boxes, the project's files" in shown
        run.type("\r")
        assert run.end() == ExitCode.CANCELLED
        assert "Nothing was done." in run.shown
    with TerminalRun("destroy", "web") as run:
        run.wait_for("[y/N]")
        run.type("\x03")
        assert run.end() == ExitCode.CANCELLED
        assert "Traceback" not in run.shown
    assert "running" in boxwright("status", "web").out
    with TerminalRun("destroy", "web") as run:
        run.wait_for("[y/N]")
        run.type("y\r")
        assert run.end() == ExitCode.DONE
    assert "not created" in boxwright("status", "web").out


def test_an_engine_that_dies_is_noticed(shop: Path, stage: subprocess.Popen[str]) -> None:
    """The next engine undoes what was begun, and the command ends with how that came out."""
    with TerminalRun("up", "slow") as run:
        run.wait_for("│ waiting")
        stage.kill()
        stage.wait()
        run.wait_for("The engine was lost")
        assert run.end() == ExitCode.FAILED
        assert "up slow failed" in run.shown
    subprocess.run([sys.executable, "-m", "core.cli.main", "engine", "stop"], check=True, timeout=60)


def test_logs_follow_until_the_end(shop: Path, boxwright: Run) -> None:
    with TerminalRun("up", "slow") as up:
        up.wait_for("│ waiting")
        with TerminalRun("logs", "-f", "slow") as logs:
            logs.wait_for("waiting")
            up.type("\x03")
            assert up.end() == ExitCode.CANCELLED
            assert logs.end() == ExitCode.CANCELLED
            assert logs.shown == "hello from slow\nwaiting"


def test_ctrl_c_ends_following_a_log_but_not_the_operation(shop: Path, boxwright: Run) -> None:
    with TerminalRun("up", "slow") as up:
        up.wait_for("│ waiting")
        with TerminalRun("logs", "-f", "slow") as logs:
            logs.wait_for("waiting")
            logs.type("\x03")
            assert logs.end() == ExitCode.CANCELLED
            assert "Traceback" not in logs.shown
        assert "up slow" in boxwright("ops", "--running").out
        up.type("\x03")
        up.end()


def test_the_workbench_needs_a_terminal(shop: Path, boxwright: Run) -> None:
    ran = boxwright()
    assert (ran.code, "needs a terminal" in ran.err) == (ExitCode.USAGE, True)


def test_serial_wants_a_running_machine(shop: Path, boxwright: Run) -> None:
    ran = boxwright("serial", "web")
    assert ran.code == ExitCode.FAILED
    assert "To mend it: boxwright up web" in ran.err


def test_raw_terminal_joins_two_ends() -> None:
    """Keys go to the line, its bytes to the screen; the chord ends it, and the terminal is as before."""
    import os
    import socket
    import termios

    from core.cli.raw_terminal import talk

    ours, its = os.openpty()
    before = termios.tcgetattr(its)
    line, far = socket.socketpair()
    ended: list[str] = []
    talker = threading.Thread(target=lambda: ended.append(talk(line, b"login: ", source=its, target=its)))
    talker.start()
    assert os.read(ours, 100) == b"login: "
    os.write(ours, b"root\r\x03")
    assert far.recv(6, socket.MSG_WAITALL) == b"root\r\x03"
    far.sendall(b"\x1b[31m# ")
    assert os.read(ours, 100) == b"\x1b[31m# "
    os.write(ours, b"bye\x1dnot this")
    talker.join(10)
    assert ended == ["user"]
    assert far.recv(3, socket.MSG_WAITALL) == b"bye"
    assert far.recv(10) == b""
    assert termios.tcgetattr(its) == before
    for descriptor in (ours, its):
        os.close(descriptor)
    far.close()


def test_raw_terminal_notices_the_end_of_the_line() -> None:
    import os
    import socket

    from core.cli.raw_terminal import talk

    line, far = socket.socketpair()
    ours, its = os.openpty()
    far.close()
    assert talk(line, source=its, target=its) == "line"
    os.close(ours)
    os.close(its)
