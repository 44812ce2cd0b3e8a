"""Whatever a handler of boxes names is really there."""

from __future__ import annotations

import typing

from core.boxes import actions
from core.engine.handlers.table import BOX_ACTIONS, HANDLERS
from core.model import command


def test_every_command_has_a_handler() -> None:
    assert set(HANDLERS) == set(typing.get_args(command.Command))


def test_every_action_is_there() -> None:
    assert [name for name in BOX_ACTIONS.values() if not callable(getattr(actions, name, None))] == []
