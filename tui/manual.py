"""Help and palette, from the registry: pure functions."""

from __future__ import annotations

from core.commands import CommandSpec, Subject
from tui.bindings import CONSOLE, PLACES, Own
from tui.choice import Choice
from tui.dialogs.palette import Entry
from tui.keys import Keymap, commands, out_of_place, refusal, spoken
from tui.look.lines import Part, wrap

Line = list[Part]

_GROUPS = (
    (Subject.MACHINE, "Machines"),
    (Subject.BOX, "Boxes"),
    (Subject.BUILD, "Builds"),
    (Subject.OPERATION, "Operations"),
)
_ON_THINGS = {
    "workbench.again": (Subject.MACHINE, Subject.BUILD),
    "workbench.edit": (Subject.MACHINE, Subject.BUILD),
    "workbench.run-before": (Subject.MACHINE, Subject.BOX, Subject.BUILD),
    "workbench.mark": (Subject.MACHINE, Subject.BOX, Subject.BUILD),
}
"""What the workbench does by itself, with which things."""
_IN_LOGS = (
    ("/", "search: all of it, in any size of file"),
    ("left right", "sideways, where lines are not wrapped"),
)
_IN_CONSOLES = (
    ("shift+pageup", "look back; the mouse wheel does too"),
    ("g G", "to the beginning of what was shown, to its end"),
    ("esc", "back to the lists"),
)


def palette_entries(keymap: Keymap, choice: Choice, place: str = "") -> list[Entry]:
    """Commands, those on the chosen kind of thing first, then what the workbench does by itself; before
    all of them what the ``place`` that has the keys can do (``console``, ``log``)."""
    ordered = sorted(commands(), key=lambda spec: spec.subject is not choice.kind)
    entries = [_entry_of(spec, spec.name, keymap, choice) for spec in ordered]
    hidden = ("workbench.open", "workbench.back", "workbench.palette", "workbench.prompt")
    entries += [_own_entry(own, keymap, place) for own in keymap.every_own if own.id not in hidden]
    return sorted(entries, key=lambda entry: not place or not entry.id.startswith(f"{place}."))


def _own_entry(own: Own, keymap: Keymap, place: str) -> Entry:
    group = own.id.partition(".")[0]
    name = own.title.lower() if group not in ("console", "log", "screen") else f"{group} {own.title.lower()}"
    reason = keymap.forbids(own) or out_of_place(own, place, keymap)
    return Entry(own.id, own.title, name, spoken(keymap.key(own.id)), own.help, reason)


def menu_entries(keymap: Keymap, choice: Choice, not_again: str) -> list[Entry]:
    """What can be done with one thing: possible or not, with the reason. ``not_again``: why it cannot be
    retried, "" where it can."""
    fitting = [
        spec
        for spec in commands()
        if _group(spec) is choice.kind or spec.subject is Subject.OPERATION or _looks_at(spec, choice)
    ]
    entries = [_entry_of(spec, spec.title, keymap, choice) for spec in fitting]
    return entries + [
        Entry(
            own.id,
            own.title,
            own.title,
            spoken(keymap.key(own.id)),
            own.help,
            _reason(keymap, own, not_again),
        )
        for own in keymap.own
        if choice.kind in _ON_THINGS.get(own.id, ()) or own.id.startswith("custom.")
    ]


def _looks_at(spec: CommandSpec, choice: Choice) -> bool:
    """The screen is a matter of machines and of builds."""
    return spec.id == "build.screen" and choice.kind in (Subject.MACHINE, Subject.BUILD)


def _reason(keymap: Keymap, own: Own, not_again: str) -> str:
    """Why something of the workbench's own is not possible with one thing now."""
    return keymap.forbids(own) or (not_again if own.id == "workbench.again" else "")


def _entry_of(spec: CommandSpec, name: str, keymap: Keymap, choice: Choice) -> Entry:
    reason = keymap.forbids(spec) or refusal(spec, choice)
    return Entry(spec.id, spec.title, name, spoken(keymap.key(spec.id)), spec.help, reason)


def help_lines(keymap: Keymap, kind: Subject, width: int, place: str = "") -> list[Line]:
    """All keys; those of the ``place`` that has them (``log``, ``console``) come first, then those for the
    kind of thing that is selected."""
    lines = _place_lines(keymap, width, place) if place else []
    groups = sorted(_GROUPS, key=lambda group: group[0] is not kind)
    for subject, title in groups:
        keyed = [spec for spec in commands() if _group(spec) is subject and keymap.key(spec.id)]
        if keyed:
            lines.append([(title, "!accent")])
            for spec in keyed:
                lines += _entry(spoken(keymap.key(spec.id)), spec.help, width)
            lines.append([])
    lines.append([("Everywhere", "!accent")])
    for own in keymap.own:
        if not keymap.key(own.id):
            continue
        lines += _entry(spoken(keymap.key(own.id)), own.help, width)
    others = [
        spec for spec in commands() if _group(spec) in (Subject.NONE, Subject.PROJECT) and keymap.key(spec.id)
    ]
    for spec in others:
        lines += _entry(spoken(keymap.key(spec.id)), spec.help, width)
    for other in ("log", "console", "screen"):
        if other != place:
            lines += [[], *_place_lines(keymap, width, other)[:-1]]
    return lines


def _place_lines(keymap: Keymap, width: int, place: str) -> list[Line]:
    """The keys of a log or a console, and an empty line."""
    named = PLACES.get(place, CONSOLE)
    entries = [(spoken(keymap.key(one.id)), one.help) for one in named if keymap.key(one.id)]
    if place == "console":
        entries[1:1] = _IN_CONSOLES
    elif place == "log":
        entries[0:0] = _IN_LOGS
    lines: list[Line] = [[(place.capitalize(), "!accent")]]
    for key, text in entries:
        lines += _entry(key, text, width)
    return [*lines, []]


def _group(spec: CommandSpec) -> Subject:
    return Subject.BOX if spec.id.startswith("box.") else spec.subject


def _entry(key: str, text: str, width: int) -> list[Line]:
    texts = wrap(text, max(20, width - 16))
    return [
        [(f"{key if not number else '':>13}", "accent"), (f"  {part}", "text")]
        for number, part in enumerate(texts)
    ]
