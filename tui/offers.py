"""What the last line offers: the keys that do something now, and those that always do."""

from __future__ import annotations

from collections.abc import Iterable

from core.commands import Subject
from tui.bindings import CONSOLE, PLACES, Own
from tui.choice import Choice
from tui.footer import Item
from tui.keys import Keymap, refusal, spoken

Offers = tuple[list[Item], list[Item]]
"""What is left out where there is no room, and what stays."""

_TYPING = (Item("", "shift+pgup", "Look back"), Item("", "all other keys", "go to the guest"))
_PLAYING = (
    Item("", "space", "Pause"),
    Item("", "left right", "Jump"),
    Item("", "+ -", "Speed"),
    Item("", ".", "Step"),
    Item("", "0", "Beginning"),
)


def of_lists(keymap: Keymap, kind: Subject, choice: Choice, *, tour: bool = False) -> Offers:
    """With what is selected; grey where that is not possible now. ``tour``: that is offered, too."""
    items = []
    if choice.build is not None and choice.build.question:
        again = keymap.own_by_id("workbench.again")
        assert again is not None
        items.append(Item(again.id, spoken(keymap.key(again.id)), "Answer", help=again.help))
    if choice.build is not None and choice.build.endpoint is not None:
        shell = keymap.own_by_id("workbench.shell-here")
        assert shell is not None
        items.append(Item(shell.id, spoken(keymap.key(shell.id)), shell.title, help=shell.help))
    specs = keymap.footer(kind)
    if choice.operation is not None and not choice.operation.state.ended:
        # What runs can be cancelled: that has to be seen, however little room there is.
        specs.sort(key=lambda spec: spec.id != "operation.cancel")
    for spec in specs:
        reason = refusal(spec, choice)
        key = spoken(keymap.key(spec.id))
        items.append(Item(spec.id, key, spec.title, not reason, reason or spec.help))
    first = [_fixed(keymap, "tour", "Tour")] if tour else []
    always = [_fixed(keymap, "filter", "Filter"), _fixed(keymap, "prompt", "Command"), _help(keymap)]
    return items, [*first, *always]


def of_console(keymap: Keymap, *, typing: bool, recorded: bool = False) -> Offers:
    """``typing``: the keys are the guest's, or drive what is played where it is ``recorded``."""
    if typing:
        leave = spoken(keymap.key("console.leave"))
        return [Item("console.leave", leave, "Leave the console"), *(_PLAYING if recorded else _TYPING)], []
    return _shown(keymap, CONSOLE), [_help(keymap)]


def of_place(keymap: Keymap, place: str) -> Offers:
    """A tab that has keys of its own."""
    search = [_fixed(keymap, "filter", "Search")] if place == "log" else []
    return _shown(keymap, PLACES[place]), [*search, _help(keymap)]


def _shown(keymap: Keymap, owns: Iterable[Own]) -> list[Item]:
    return [Item(own.id, spoken(keymap.key(own.id)), own.title, help=own.help) for own in owns if own.shown]


def _fixed(keymap: Keymap, name: str, title: str) -> Item:
    id = f"workbench.{name}"
    own = keymap.own_by_id(id)
    return Item(id, spoken(keymap.key(id)), title, help=own.help if own is not None else "")


def _help(keymap: Keymap) -> Item:
    return _fixed(keymap, "help", "Help")
