"""Every key of the specification, pressed in a real terminal on the real engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.consoles import environment
from tests.support.tmux import Tmux
from tests.tui.test_real_terminal import program

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
    ("z", "Suspend: web"),
    ("r", "Reload: web"),
    ("c", "Serial: web"),
    ("U", "Upload: web"),
    ("x", "Nothing runs on web"),
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
    ("L", "Log of 1 machine"),
    ("Escape", "2 marked"),
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
    (": s u s", "Save the machine's memory"),
    ("Tab", ":suspend"),
    ("Escape", "u Up"),
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
    ("l", "It wrote nothing."),
    ("t", "It wrote nothing."),
    ("<", "There is no earlier run."),
    (">", "This is the latest run."),
    ("Escape", "u Up"),
)


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["120x40", "80x24"])
def terminal(request: pytest.FixtureRequest, boxwright_home: Path) -> Iterator[Tmux]:
    columns, rows = request.param
    made = Tmux(boxwright_home, columns=columns, rows=rows)
    made.start(program(boxwright_home), **environment(boxwright_home))
    made.wait_for("not created", 60)
    yield made
    made.close()


def press(terminal: Tmux, keys: str) -> None:
    terminal.press(*keys.split())
    if keys.endswith("Escape"):
        # A key right after escape would be one with alt.
        time.sleep(0.4)


def test_every_key_does_what_it_says(terminal: Tmux) -> None:
    narrow = terminal.screen().splitlines()[0].__len__() <= 80
    for keys, shown in TOUR:
        if narrow and keys in ("+", "_", "f"):
            # There one side has all the room anyway.
            continue
        press(terminal, keys)
        try:
            terminal.wait_for(shown.removeprefix("gone: "), gone=shown.startswith("gone: "))
        except AssertionError as error:
            raise AssertionError(f"after {keys}: {error}") from None
    press(terminal, "q")
    terminal.wait_for_end()


def test_a_terminal_of_twenty_by_five_and_back(terminal: Tmux) -> None:
    for columns, rows in ((20, 5), (5, 2), (100, 30)):
        terminal.run("resize-window", "-x", str(columns), "-y", str(rows))
        press(terminal, "Down")
        press(terminal, "Up")
    terminal.wait_for("u Up")
    terminal.wait_for("1 Machines")
    press(terminal, "q")
    terminal.wait_for_end()
