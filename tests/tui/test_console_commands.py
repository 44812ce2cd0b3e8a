"""Every key of a console, in a real terminal (tmux), with shells on a real SSH server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.consoles import environment, workbench
from tests.support.sshd import Sshd, available
from tests.support.tmux import Tmux

pytestmark = pytest.mark.real

LEAVE = "C-]"


@pytest.fixture
async def server(tmp_path: Path):  # type: ignore[no-untyped-def]
    assert available(), "openssh-server is needed"
    running = await Sshd(tmp_path).started()
    yield running
    running.stop()


@pytest.fixture
def tmux(server: Sshd, boxwright_home: Path) -> Iterator[Tmux]:
    terminal = Tmux(boxwright_home)
    terminal.start(workbench(boxwright_home, server.endpoint, "web", "db"), **environment(boxwright_home))
    terminal.run("set-option", "-s", "set-clipboard", "on")
    terminal.wait_for("up to date")
    yield terminal
    terminal.close()


def shell(tmux: Tmux, *commands: str) -> None:
    """A new one, on the machine that is selected."""
    tmux.press("s")
    tmux.wait_for("every other key")
    type(tmux, "; ".join(("PS1='$ '; clear", *commands, "echo rea''dy-now")))
    tmux.wait_for("ready-now")


def type(tmux: Tmux, line: str) -> None:
    tmux.run("send-keys", "-l", line)
    tmux.press("Enter")


def leave(tmux: Tmux) -> None:
    tmux.press(LEAVE)
    tmux.wait_for("enter Type")


def clipboard(tmux: Tmux, text: str) -> None:
    """What the workbench has put there."""
    end = time.monotonic() + 10
    while tmux.run("list-buffers", "-F", "#{buffer_sample}") == "" and time.monotonic() < end:
        time.sleep(0.05)
    while (found := tmux.run("show-buffer").rstrip("\n")) != text and time.monotonic() < end:
        time.sleep(0.05)
    assert found == text


def test_looking_back_searching_and_copying(tmux: Tmux) -> None:
    shell(tmux, "seq -f 'line %g of many' 300")
    tmux.press("S-PPage")
    tmux.wait_for("lines back")
    tmux.press("S-NPage")
    tmux.wait_for("every other key")
    leave(tmux)
    tmux.press("/")
    tmux.run("send-keys", "-l", "line 17")
    tmux.wait_for("line 179 of many")
    tmux.press("Enter")
    tmux.wait_for("/line 17: 11 of 11")
    tmux.press("N", "N")
    tmux.wait_for("/line 17: 9 of 11")
    tmux.press("n")
    tmux.wait_for("/line 17: 10 of 11")
    tmux.press("V", "Down")
    tmux.press("y")
    tmux.wait_for("Copied: 33 characters")
    clipboard(tmux, "line 178 of many\nline 179 of many")
    tmux.press("Home", "v", "Right", "Right", "Right", "y")
    tmux.wait_for("Copied: 4 characters")
    clipboard(tmux, "line")
    tmux.press("g")
    tmux.wait_for("line 1 of many")
    tmux.press("G", "Escape")
    tmux.wait_for("keys are the workbench's")
    tmux.press("Enter")
    tmux.wait_for("every other key")
    tmux.press("x", "C-u", LEAVE, LEAVE)
    tmux.wait_for("every other key")
    leave(tmux)
    tmux.press("Escape")
    tmux.wait_for("u Up")


def test_two_consoles_side_by_side_and_keys_to_both(tmux: Tmux, tmp_path: Path) -> None:
    shell(tmux, f"cd {tmp_path}")
    leave(tmux)
    tmux.press("|")
    tmux.wait_for("There is no other console yet")
    tmux.press("1")
    tmux.wait_for("u Up")
    tmux.press("Down")
    tmux.wait_for("─ db ─")
    shell(tmux, f"cd {tmp_path}")
    leave(tmux)
    tmux.press("|")
    tmux.wait_for("web · Shell 1")
    tmux.wait_for("db · Shell 1")
    tmux.press("B")
    tmux.wait_for("BROADCAST to 2: db and web")
    tmux.press("Enter")
    tmux.wait_for("Leave the console")
    type(tmux, "echo $$ >> pids; echo both-$((40+2))")
    end = time.monotonic() + 20
    while time.monotonic() < end and tmux.screen().count("both-42") < 2:
        time.sleep(0.05)
    assert tmux.screen().count("both-42") == 2
    assert len(set((tmp_path / "pids").read_text().split())) == 2
    leave(tmux)
    tmux.press("b")
    tmux.wait_for("BROADCAST", gone=True)
    tmux.press("b")
    tmux.wait_for("BROADCAST to 2")
    tmux.press("o", "b")
    tmux.wait_for("BROADCAST", gone=True)
    tmux.press("|")
    tmux.wait_for("web · Shell 1", gone=True)
    tmux.press("'")
    tmux.wait_for("Consoles")
    type(tmux, "web")
    tmux.wait_for("─ web ─")
    tmux.wait_for("[Shell 1]")
    tmux.wait_for("every other key")
    leave(tmux)
    tmux.press("w")
    tmux.wait_for("Shell 1", gone=True)


def test_recording_and_playing_it(tmux: Tmux, boxwright_home: Path) -> None:
    shell(tmux)
    leave(tmux)
    tmux.press("m")
    tmux.wait_for("recording 0:0")
    tmux.press("Enter")
    tmux.wait_for("Leave the console")
    type(tmux, "clear; echo rec''orded")
    tmux.wait_for("recorded")
    leave(tmux)
    tmux.press("m")
    tmux.wait_for("Recorded: ")
    cast = next((boxwright_home / "recordings").glob("web-Shell-1-*.cast"))
    lines = [json.loads(line) for line in cast.read_text().splitlines()]
    assert lines[0]["version"] == 2
    assert "recorded" in "".join(event[2] for event in lines[1:])
    tmux.press("w")
    tmux.wait_for("Shell 1", gone=True)
    tmux.press("M")
    tmux.wait_for("type a part of a recording's name")
    type(tmux, "zz")
    tmux.wait_for("No recording has such a name.")
    tmux.press("C-u")
    tmux.wait_for("Recordings")
    tmux.wait_for("enter plays it")
    tmux.press("Enter")
    tmux.wait_for("recorded")
    tmux.wait_for("at its end")
    tmux.wait_for("space Pause")
    # In one go: it is short, and would be over before the second key.
    tmux.run("send-keys", "0", "Space")
    tmux.wait_for("paused")
    tmux.press("End")
    tmux.wait_for("at its end")
    # What drives no recording is the workbench's.
    tmux.press("Escape")
    tmux.wait_for("u Up")
    tmux.press("w")
    tmux.wait_for("at its end", gone=True)


def test_many_lines_are_pasted_only_after_a_question(tmux: Tmux) -> None:
    shell(tmux)
    type(tmux, "stty -echo; echo wai''ting; exec cat -v")
    tmux.wait_for("waiting")
    tmux.run("set-buffer", "first line\nsecond line\nthird line\n")
    tmux.run("paste-buffer", "-p", "-r")
    screen = tmux.wait_for("Paste this?")
    assert "3 lines, 34 characters, to web; it runs" in screen
    assert "second line" in screen
    tmux.press("Escape")
    tmux.wait_for("Paste this?", gone=True)
    tmux.wait_for("every other key")
    tmux.run("paste-buffer", "-p", "-r")
    tmux.wait_for("Paste this?")
    tmux.press("Right", "Enter")
    tmux.wait_for("Paste this?", gone=True)
    tmux.wait_for("third line")
    tmux.run("set-buffer", "one line only")
    tmux.run("paste-buffer", "-p", "-r")
    tmux.press("Enter")
    tmux.wait_for("one line only")


def test_a_console_survives_a_tiny_terminal(tmux: Tmux, tmp_path: Path) -> None:
    shell(tmux, f"cd {tmp_path}", "stty size > size", "seq -f 'row %g' 50")
    for columns, rows in ((20, 5), (9, 3), (20, 5), (80, 24)):
        tmux.run("resize-window", "-x", str(columns), "-y", str(rows))
        time.sleep(0.3)
        tmux.press("Enter")
    tmux.run("resize-window", "-x", "120", "-y", "40")
    # tmux tells a program of a new size up to a quarter of a second late: what is typed until then is
    # typed in the old one.
    tmux.wait_for("1 Machines")
    tmux.wait_for("row 50")
    type(tmux, "clear; stty size | cmp - size && echo alive-$((40+2))")
    tmux.wait_for("alive-42")


async def test_a_guest_that_comes_back_is_reached_again(tmux: Tmux, server: Sshd) -> None:
    shell(tmux, "printf '\\033]2;a title\\007'")
    tmux.wait_for("[a title]")
    server.stop()
    tmux.wait_for("It is made anew when the guest answers.")
    await server.started()
    tmux.wait_for("every other key")
    type(tmux, "echo again-$((40+2))")
    tmux.wait_for("again-42")


def test_bell_and_link_of_a_guest(tmux: Tmux) -> None:
    shell(tmux, "clear")
    type(
        tmux,
        r"clear; printf '\e]8;;https://example.org/page\e\\here it is\e]8;;\e\\\n'; (sleep 2; printf '\a') &",
    )
    tmux.wait_for("here it is")
    leave(tmux)
    tmux.press("g")
    tmux.run("send-keys", "-l", "/here it")
    tmux.press("Enter", "y")
    clipboard(tmux, "https://example.org/page")
    tmux.press("1")
    tmux.wait_for("♪")
