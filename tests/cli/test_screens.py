"""``boxwright screen``: what a real machine shows, drawn in a real terminal, followed, and saved."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model.problem import ExitCode
from tests.cli.conftest import Run
from tests.cli.stage import SCREEN
from tests.cli.terminal import TerminalRun
from tests.support import vnc

pytestmark = pytest.mark.real


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[vnc.Machine]:
    """Must come before ``stage``. Sockets have short names only."""
    with tempfile.TemporaryDirectory() as folder, vnc.machine(Path(folder)) as one:
        monkeypatch.setenv(SCREEN, str(one.socket))
        yield one


def test_a_screen_is_saved_drawn_and_followed_until_the_machine_has_ended(
    machine: vnc.Machine, stage: object, shop: Path, boxwright: Run
) -> None:
    with TerminalRun("build", "base", columns=100) as building:
        building.wait_for("Bootstrap")
        with TerminalRun("screen", "--follow", columns=60, lines=20) as followed:
            followed.wait_until(lambda: followed.shown.count("▀" * 40) >= 10, "the picture")
            widest = max(len(line) for line in followed.shown.splitlines())
            assert 40 <= widest <= 60
            # A machine's screen begins in one size, and goes on in another one.
            saved = boxwright("screen", "base", "--output", "screen.png")
            assert saved.code == ExitCode.DONE
            head = (shop / "screen.png").read_bytes()[16:24]
            width, height = struct.unpack(">II", head)
            assert f"screen.png: {width} x {height}" in saved.out
            machine.end()
            followed.wait_for("The machine has ended.")
            assert followed.end() == ExitCode.DONE
        assert boxwright("screen").code != ExitCode.DONE, "its screen cannot be reached any more"
        (shop / "installed").touch()
        assert building.end() == ExitCode.DONE
    gone = boxwright("screen")
    assert gone.code == ExitCode.NOT_FOUND
    assert "Nothing has a screen now." in gone.err
