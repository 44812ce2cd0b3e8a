"""Help and palette, from the registry: pure functions."""

from __future__ import annotations

from core.commands import CommandSpec, Subject
from tui.bindings import CONSOLE, LOG, OWN
from tui.choice import Choice
from tui.dialogs.palette import Entry
from tui.keys import Keymap, commands, refusal, spoken
from tui.look.lines import Part, wrap

Line = list[Part]

_GROUPS = (
    (Subject.MACHINE, "Machines"),
    (Subject.BOX, "Boxes"),
    (Subject.BUILD, "Builds"),
    (Subject.OPERATION, "Operations"),
)
_IN_LOGS = (
    ("/", "search: all of it, in any size of file"),
    ("left right", "sideways, where lines are not wrapped"),
)
_IN_CONSOLES = (
    ("shift+pageup", "look back; the mouse wheel does too"),
    ("g G", "to the beginning of what was shown, to its end"),
    ("esc", "back to the lists"),
)


def palette_entries(keymap: Keymap, choice: Choice) -> list[Entry]:
    """Commands, those on the chosen kind of thing first, then what the workbench does by itself."""
    ordered = sorted(commands(), key=lambda spec: spec.subject is not choice.kind)
    entries = [
        Entry(spec.id, spec.title, spec.name, spoken(keymap.key(spec.id)), spec.help, refusal(spec, choice))
        for spec in ordered
    ]
    hidden = ("workbench.open", "workbench.back", "workbench.palette", "workbench.prompt")
    return entries + [
        Entry(own.id, own.title, own.title.lower(), spoken(keymap.key(own.id)), own.help)
        for own in OWN
        if own.id not in hidden
    ]


def help_lines(keymap: Keymap, kind: Subject, width: int) -> list[Line]:
    """All keys; those for the kind of thing that is selected come first."""
    lines: list[Line] = []
    groups = sorted(_GROUPS, key=lambda group: group[0] is not kind)
    for subject, title in groups:
        keyed = [spec for spec in commands() if _group(spec) is subject and keymap.key(spec.id)]
        if keyed:
            lines.append([(title, "!accent")])
            for spec in keyed:
                lines += _entry(spoken(keymap.key(spec.id)), spec.help, width)
            lines.append([])
    lines.append([("Everywhere", "!accent")])
    for own in OWN:
        lines += _entry(spoken(keymap.key(own.id)), own.help, width)
    others = [
        spec for spec in commands() if _group(spec) in (Subject.NONE, Subject.PROJECT) and keymap.key(spec.id)
    ]
    for spec in others:
        lines += _entry(spoken(keymap.key(spec.id)), spec.help, width)
    log = tuple((spoken(keymap.key(one.id)), one.help) for one in LOG)
    console = tuple((spoken(keymap.key(one.id)), one.help) for one in CONSOLE)
    for title, entries in (
        ("Log", (*_IN_LOGS, *log)),
        ("Console", (*console[:1], *_IN_CONSOLES, *console[1:])),
    ):
        lines += [[], [(title, "!accent")]]
        for key, text in entries:
            lines += _entry(key, text, width)
    return lines


def _group(spec: CommandSpec) -> Subject:
    return Subject.BOX if spec.id.startswith("box.") else spec.subject


def _entry(key: str, text: str, width: int) -> list[Line]:
    texts = wrap(text, max(20, width - 16))
    return [
        [(f"{key if not number else '':>13}", "accent"), (f"  {part}", "text")]
        for number, part in enumerate(texts)
    ]
