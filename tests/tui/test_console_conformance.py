"""Recordings of real programs: our screens show what tmux and xterm show, cell by cell."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import terminals
from tests.support.recorded import COLUMNS, ROWS, programs, record
from tests.support.terminals import Picture, equal, ours
from tui.console.fallback import BitttyScreen
from tui.console.ghostty import GhosttyScreen
from tui.console.screen import Screen

pytestmark = pytest.mark.real

BAR = 0.95
NAMES = ("vim", "htop", "less", "mc", "tmux", "nano", "git-log", "tables")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    place = folder / "programs"
    place.mkdir()
    found: dict[str, Path] = {}
    for program in programs(place):
        assert shutil.which(program.command[0]), f"{program.command[0]} is needed"
        found[program.name] = folder / program.name
        found[program.name].write_bytes(record(program, place))
    return found


@pytest.fixture(scope="module")
def tmux(recordings: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    return terminals.of_tmux(tmp_path_factory.mktemp("tmux"), recordings)


@pytest.fixture(scope="module")
def xterm(recordings: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    return terminals.of_xterm(tmp_path_factory.mktemp("xterm"), recordings)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [GhosttyScreen, BitttyScreen], ids=["ghostty", "bittty"])
def test_a_program_looks_as_in_tmux_and_xterm(
    kind: type[GhosttyScreen] | type[BitttyScreen],
    name: str,
    recordings: dict[str, Path],
    tmux: dict[str, Picture],
    xterm: dict[str, Picture],
) -> None:
    screen: Screen = kind(COLUMNS, ROWS)
    data = recordings[name].read_bytes()
    # In blocks that end anywhere, as they come over a network.
    for start in range(0, len(data), 1000):
        screen.feed(data[start : start + 1000])
    picture = ours(screen)
    screen.close()
    written = sum(bool(cell.text.strip()) for row in picture for cell in row)
    assert written > 150, "the program shows something"
    text, alike = equal(picture, tmux[name])
    assert text >= BAR, "text, beside tmux"
    # What was erased in a colour is not in tmux's picture; its terminals show it.
    assert alike >= BAR, "text and attributes, beside tmux"
    assert equal(picture, xterm[name])[0] >= BAR, "text, beside xterm"
