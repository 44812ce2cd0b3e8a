"""What real terminals make of a recording: tmux, and xterm under a virtual display. Cell by cell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rich.cells import get_character_cell_size

from tests.support.recorded import COLUMNS, ROWS
from tests.support.tmux import Tmux
from tui.console.screen import Screen
from tui.log import sgr
from tui.log.sgr import PLAIN, Sgr

_PLAYER = """
import os, select, sys, time, tty
tty.setraw(0)
done, page, *files = sys.argv[1:]
for number, file in enumerate(files):
    with open(file, "rb") as recording:
        os.write(1, b"\\x1bc" + recording.read())
    # What is unfinished is ended; then the screen is printed where that is wanted.
    os.write(1, b"\\x18" + (b"\\x1b[i" if page else b"") + b"\\x1b[5n")
    answer = b""
    while not answer.endswith(b"0n") and select.select([0], [], [], 20)[0]:
        answer += os.read(0, 100)
    while page and not os.path.exists(page):
        time.sleep(0.01)
    if page:
        os.rename(page, page + str(number))
open(done, "w").close()
time.sleep(0 if page else 600)
"""
"""Writes recordings to the terminal that it is in. That the terminal has seen all is known by its answer."""

_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b#[0-9]|\x1b[()].|[\x0e\x0f]")


class Cell(NamedTuple):
    text: str
    """"" for the second half of a wide character."""
    style: Sgr


Picture = tuple[tuple[Cell, ...], ...]


def ours(screen: Screen) -> Picture:
    screen.changes()
    return tuple(_row(list(screen.row(y))) for y in range(screen.rows))


def _row(runs: list[tuple[str, Sgr]]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for text, style in runs:
        for character in text:
            size = get_character_cell_size(character)
            if not size and cells:
                at = -2 if cells[-1].text == "" and len(cells) > 1 else -1
                cells[at] = cells[at]._replace(text=cells[at].text + character)
            elif size:
                cells += [Cell(character, _seen(character, style))] + [Cell("", PLAIN)] * (size - 1)
    cells += [Cell(" ", PLAIN)] * (COLUMNS - len(cells))
    return tuple(cells[:COLUMNS])


def _seen(character: str, style: Sgr) -> Sgr:
    """Only what one can see: of a blank that is its background."""
    if character == " " and not style.attributes & (sgr.REVERSE | sgr.UNDERLINE | sgr.STRIKE):
        return Sgr(bg=style.bg)
    return style


def _parsed(lines: list[str]) -> Picture:
    """Text with its colours as control sequences."""
    rows = []
    style = PLAIN
    for line in (lines + [""] * ROWS)[:ROWS]:
        runs: list[tuple[str, Sgr]] = []
        at = 0
        for match in _SEQUENCE.finditer(line):
            runs.append((line[at : match.start()], style))
            if match.group(1) is not None:
                style = sgr.apply(style, match.group(1))
            at = match.end()
        runs.append((line[at:], style))
        rows.append(_row(runs))
    return tuple(rows)


def of_tmux(folder: Path, recordings: Mapping[str, Path]) -> dict[str, Picture]:
    player = folder / "player.py"
    player.write_text(_PLAYER)
    found: dict[str, Picture] = {}
    for name, path in recordings.items():
        # A short path: it is a socket's.
        with tempfile.TemporaryDirectory(prefix="bwt") as place:
            tmux = Tmux(Path(place), columns=COLUMNS, rows=ROWS)
            done = Path(place) / "done"
            try:
                tmux.start([sys.executable, str(player), str(done), "", str(path)])
                tmux.run("set-option", "status", "off")
                _wait_for(done)
                found[name] = _parsed(tmux.run("capture-pane", "-e", "-p", "-N").split("\n"))
            finally:
                tmux.close()
    return found


def of_xterm(folder: Path, recordings: Mapping[str, Path]) -> dict[str, Picture]:
    """It prints its screen to a file, with attributes, when it is told to."""
    player, page, done = folder / "player.py", folder / "page", folder / "done"
    player.write_text(_PLAYER)
    resources = {
        "printerCommand": f"sh -c 'cat > {page}.part && mv {page}.part {page}'",
        "printAttributes": "2",
        "printerAutoClose": "true",
        "allowPrintOps": "true",
    }
    words = [word for name, value in resources.items() for word in ("-xrm", f"XTerm*{name}: {value}")]
    files = map(str, recordings.values())
    program = [sys.executable, str(player), str(done), str(page), *files]
    xterm = ["xterm", "-u8", "-geometry", f"{COLUMNS}x{ROWS}", *words, "-e", *program]
    subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1280x1024x24", *xterm],
        env={**os.environ, "LANG": "C.UTF-8"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    _wait_for(done)
    pictures: dict[str, Picture] = {}
    for number, name in enumerate(recordings):
        text = Path(f"{page}{number}").read_bytes().decode("utf-8", "replace")
        # Behind a wide character it prints the cell that is taken by it.
        pictures[name] = _parsed(text.replace("\uffff", "").split("\r\n"))
    return pictures


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


def equal(one: Picture, other: Picture) -> tuple[float, float]:
    """Shares of cells: with the same text, and with the same text and attributes."""
    pairs = [pair for rows in zip(one, other, strict=True) for pair in zip(*rows, strict=True)]
    same = sum(_same_text(a, b) for a, b in pairs)
    alike = sum(_same_text(a, b) and a.style == b.style for a, b in pairs)
    return same / len(pairs), alike / len(pairs)


def _same_text(a: Cell, b: Cell) -> bool:
    import unicodedata

    return unicodedata.normalize("NFC", a.text) == unicodedata.normalize("NFC", b.text)
