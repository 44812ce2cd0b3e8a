"""Every key of the workbench, pressed in a real terminal: on the real engine, and on a log that is there."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.consoles import environment
from tests.support.tmux import ROOT, Tmux
from tests.tui import test_console_commands
from tests.tui.test_real_terminal import program
from tui.bindings import CONSOLE, LOG, OWN
from tui.keys import commands

pytestmark = pytest.mark.real

Press = tuple[str, str]
"""Keys as tmux names them, and what has to be on the screen then, or with ``gone:`` must not be there."""

TOUR: tuple[Press, ...] = (
    # Commands on the selected machine, possible or not.
    ("u", "no file /nowhere/tiny.box"),
    ("h", "Halt: web"),
    ("s", "Shell: web"),
    ("p", "Provision: web"),
    ("S", "Snapshot"),
    ("Escape", "1 Machines"),
    ("d", "Destroy: web"),
    ("B", "Recover: Nothing is kept of web"),
    ("z", "Suspend: web"),
    ("r", "Reload: web"),
    ("c", "Serial: web"),
    ("U", "Upload: web"),
    ("x", "Nothing runs on web"),
    ("Z", "Resume: web"),
    ("C", "Clone: web"),
    ("D", "Download: web"),
    ("R", "Restore: web"),
    ("X", "Delete snapshot: web"),
    ("a", "no file /nowhere/tiny.box"),
    ("V", "There is no provider 'fake'"),
    ("Escape", "gone: There is no provider 'fake'"),
    ("E", "editor-of-the-user"),
    ("Enter", "u Up"),
    ("'", "No console is open"),
    ("Escape", "gone: No console is open"),
    ("M", "Nothing was recorded yet"),
    ("Escape", "gone: Nothing was recorded yet"),
    # Boxes.
    ("2", "a Add box"),
    ("a", "box add SOURCE"),
    ("Escape", "gone: box add SOURCE"),
    ("o", "$ boxwright box outdated"),
    ("Escape", "gone: $ boxwright box outdated"),
    ("v", "verified: none"),
    ("Escape", "gone: verified: none"),
    # Builds.
    ("3", "b Build"),
    ("s", "Shell here: a build has a guest"),
    ("A", "Into the store: no build is selected."),
    ("i", "Screen: No machine and no build is selected."),
    ("d", "Remove what failed builds left?"),
    ("Escape", "gone: Remove what failed builds left?"),
    ("1", "u Up"),
    # Panes, tabs and room.
    ("2", "a Add box"),
    ("3", "b Build"),
    ("1", "u Up"),
    ("Tab", "a Add box"),
    ("BTab", "u Up"),
    ("Enter", "[Steps]"),
    ("]", "[Log]"),
    ("[", "[Steps]"),
    ("+", "1 Machines"),
    ("_", "1 Machines"),
    ("f", "[Steps]"),
    ("f", "1 Machines"),
    ("Escape", "u Up"),
    # Many at once.
    ("Space", "1 marked"),
    ("*", "2 marked"),
    ("Escape", "u Up"),
    ("Space", "1 marked"),
    ("Up", "1 marked"),
    ("C-Space", "2 marked"),
    ("L", "There is no log of "),
    ("Escape", "u Up"),
    (",", "Sorted by name"),
    (".", "Sorted by name"),
    # Filters and the prompt.
    ("/ w e b Enter", "1 of 2"),
    ("Escape", "db"),
    ("/ ! w e b Enter", "/!web  1 of 2"),
    ("Escape", "web"),
    ("/ - f Space w b Enter", "/-f wb  1 of 2"),
    ("Escape", "db"),
    (": s u s", "suspend  web is not created"),
    ("Tab", ":suspend"),
    ("Escape", "u Up"),
    (": e n g i n e Space s t a t u s Enter", "$ boxwright engine status"),
    ("Escape", "gone: $ boxwright engine status"),
    # Pages.
    ("?", "Shut the machine down."),
    ("Escape", "gone: Shut the machine down."),
    ("C-p", "type a part of a command's name"),
    ("Escape", "gone: type a part of a command's name"),
    ("m", "type a part of a command's name"),
    ("Escape", "gone: type a part of a command's name"),
    ("O", "enter shows its log"),
    ("Escape", "gone: enter shows its log"),
    ("P", "type a part of a project's name"),
    ("Escape", "gone: type a part of a project's name"),
    ("T", "enter keeps it"),
    ("Escape", "gone: enter keeps it"),
    ("F1", "brings the selected machine up"),
    ("Escape", "gone: brings the selected machine up"),
    ("n", "New machine"),
    ("Escape", "gone: New machine"),
    ("e", "ctrl+s writes it"),
    ("Escape", "gone: ctrl+s writes it"),
    ("y", "(copied)"),
    # The log.
    # What it says comes late: before the log, which says the same.
    ("Y", "It wrote nothing."),
    ("l", "It wrote nothing."),
    ("<", "run 1 of 2"),
    ("<", "There is no earlier run."),
    (">", "run 2 of 2"),
    (">", "This is the latest run."),
    ("Escape", "u Up"),
)

LOG_TOUR: tuple[Press, ...] = (
    ("l", "follows"),
    ("W", "follows  wrapped"),
    ("W", "gone: wrapped"),
    ("t", "follows  times"),
    ("t", "gone: follows  times"),
    ("g", "before the second step"),
    ("}", "gone: before the second step"),
    ("{", "before the second step"),
    ("-", "gone: before the second step"),
    ("-", "before the second step"),
    ("=", "gone: line 1 of many"),
    ("=", "line 1 of many"),
    ("G", "follows"),
    ("E", "1 of 2"),
    ("e", "2 of 2"),
    ("N", "1 of 2"),
    ("n", "2 of 2"),
    ("/ m a n y Enter", "of 60"),
    ("y", "Copied"),
    ("w", "To which file?"),
    ("Escape", "gone: To which file?"),
)

KEYS = {
    "escape": "Escape", "enter": "Enter", "space": "Space", "tab": "Tab", "shift+tab": "BTab", "f1": "F1",
    "ctrl+@": "C-Space", "ctrl+p": "C-p", "ctrl+right_square_bracket": "C-]",
}  # fmt: skip
"""As tmux names them, where it names them otherwise."""

LOGS = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.support import fake_client
from tui import app

world = fake_client.shop(Path({folder!r}))
world.log("000000", b"before the second step\\n", 1)
lines = b"".join(b"line %d of many\\n" % number for number in range(60))
world.log("000000", b"E: Unable to locate package nginxx\\n" + lines + b"error: at the end\\n", 2)
asyncio.run(app.main(Path(fake_client.SHOP), world))
"""

EDITOR = """#!/bin/sh
echo editor-of-the-user
read answer
"""


def test_no_binding_is_without_a_press() -> None:
    """What has a key is pressed here, or for consoles in test_console_commands."""
    here = {key for keys, _ in (*TOUR, *LOG_TOUR) for key in keys.split()} | {"q"}
    calls = re.findall(r"press\((.*?)\)", inspect.getsource(test_console_commands))
    there = {key for call in calls for key in re.findall(r'"(.+?)"', call)} | {test_console_commands.LEAVE}
    for bindings, pressed in (((*commands(), *OWN, *LOG), here | {"w"}), (CONSOLE, there)):
        missing = [one.id for one in bindings if one.key and KEYS.get(one.key, one.key) not in pressed]
        assert missing == []


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["120x40", "80x24"])
def terminal(request: pytest.FixtureRequest, boxwright_home: Path) -> Iterator[Tmux]:
    columns, rows = request.param
    made = Tmux(boxwright_home, columns=columns, rows=rows)
    editor = boxwright_home / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o700)
    made.start(program(boxwright_home), **environment(boxwright_home), VISUAL=str(editor))
    made.wait_for("not created", 60)
    yield made
    made.close()


def press(terminal: Tmux, keys: str, shown: str = "") -> None:
    if keys == "Escape" and not shown.startswith("gone: "):
        # Nothing tells when it has arrived, before the next key comes.
        terminal.escape()
    else:
        terminal.press(*keys.split())


def test_every_key_does_what_it_says(terminal: Tmux) -> None:
    narrow = terminal.screen().splitlines()[0].__len__() <= 80
    # There one side has all the room anyway.
    walk(terminal, [step for step in TOUR if not (narrow and step[0] in ("+", "_", "f"))])
    press(terminal, "q")
    terminal.wait_for_end()


def walk(terminal: Tmux, tour: Iterable[Press]) -> None:
    for keys, shown in tour:
        press(terminal, keys, shown)
        try:
            terminal.wait_for(shown.removeprefix("gone: "), gone=shown.startswith("gone: "))
        except AssertionError as error:
            raise AssertionError(f"after {keys}: {error}") from None


def test_every_key_of_a_log_does_what_it_says(boxwright_home: Path) -> None:
    terminal = Tmux(boxwright_home)
    try:
        script = boxwright_home / "logs.py"
        script.write_text(LOGS.format(root=str(ROOT), folder=str(boxwright_home)))
        terminal.start([sys.executable, str(script)], **environment(boxwright_home))
        terminal.wait_for("up to date", 60)
        walk(terminal, LOG_TOUR)
    finally:
        terminal.close()


def test_a_terminal_of_twenty_by_five_and_back(terminal: Tmux) -> None:
    for columns, rows in ((20, 5), (5, 2), (100, 30)):
        terminal.run("resize-window", "-x", str(columns), "-y", str(rows))
        press(terminal, "Down")
        press(terminal, "Up")
    terminal.wait_for("u Up")
    terminal.wait_for("1 Machines")
    press(terminal, "q")
    terminal.wait_for_end()
