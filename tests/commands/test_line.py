"""Every command can be shown as the line that one would type."""

from __future__ import annotations

import pytest

from core.commands.line import command_line
from core.model import command
from core.model.machine import MachineKey

WEB = MachineKey("/shop", "web")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (command.Up(machine=WEB), "boxwright up web"),
        (command.Up(machine=WEB, provision=False), "boxwright up web --no-provision"),
        (command.Halt(machine=WEB, force=True), "boxwright halt web --force"),
        (
            command.Provision(machine=WEB, only=("nginx", "my app"), start_at=2),
            "boxwright provision web --only nginx --only 'my app' --start-at 2",
        ),
        (command.SaveSnapshot(machine=WEB, name="before it"), "boxwright snapshot save web 'before it'"),
        (
            command.AddBox(source="debian/bookworm64", version=">= 12"),
            "boxwright box add debian/bookworm64 --box-version '>= 12'",
        ),
        (command.PruneBoxes(names=("a", "b"), dry_run=True), "boxwright box prune a b --dry-run"),
        (command.RunBuild(project="/shop", name="base", force=True), "boxwright build base --force"),
        (command.ImportBoxes(), "boxwright box import"),
    ],
)
def test_the_line_of_a_command(given: command.Command, line: str) -> None:
    assert command_line(given) == line
