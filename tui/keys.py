"""Keys: which one does what now. Commands bring theirs from the registry; the workbench's own are here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from core.commands import COMMANDS, CommandSpec, Subject
from tui.choice import Choice


class Own(msgspec.Struct, frozen=True):
    """Something that the workbench does by itself."""

    id: str
    key: str
    title: str
    help: str
    shown: bool = False
    """In the footer."""


OWN: tuple[Own, ...] = (
    Own(
        "workbench.filter",
        "/",
        "Filter",
        "Show only rows that match (! for the others, -f for letters in that order); in a log: search.",
        True,
    ),
    Own("workbench.prompt", ":", "Command", "Type a command by its name.", True),
    Own(
        "workbench.palette", "ctrl+p", "Palette", "Search all commands, also those that are not possible now."
    ),
    Own("workbench.help", "?", "Help", "Show all keys.", True),
    Own("workbench.open", "enter", "Open", "Look at the selected thing."),
    Own("workbench.back", "escape", "Back", "Back to the lists; takes marks away, then a filter."),
    Own("workbench.machines", "1", "Machines", "Go to the machines."),
    Own("workbench.boxes", "2", "Boxes", "Go to the boxes."),
    Own("workbench.builds", "3", "Builds", "Go to the builds."),
    Own("workbench.next-pane", "tab", "Next pane", "Go to the next pane."),
    Own("workbench.previous-pane", "shift+tab", "Previous pane", "Go to the pane before."),
    Own("workbench.previous-tab", "[", "Tab before", "Show the tab to the left."),
    Own("workbench.next-tab", "]", "Tab after", "Show the tab to the right."),
    Own("workbench.close-tab", "w", "Close tab", "Close the console or serial tab that is shown."),
    Own(
        "workbench.again",
        "a",
        "Retry from here",
        "Run the provisioners again, beginning with the failed one.",
    ),
    Own(
        "workbench.mark",
        "space",
        "Mark",
        "Mark the row, or take its mark away; commands act on all that are marked.",
    ),
    Own(
        "workbench.mark-range",
        "ctrl+@",
        "Mark a range",
        "Mark everything from the last marked row to this one.",
    ),
    Own("workbench.mark-all", "*", "Mark all", "Mark all rows that are shown, or none."),
    Own("workbench.sort", ",", "Sort", "Sort by the next column, and after the last one as before."),
    Own("workbench.reverse", ".", "Reverse", "Turn the order of the rows round."),
    Own("workbench.new", "n", "New machine", "Describe a machine, here or in a new project, in a form."),
    Own("workbench.consoles", "'", "Consoles", "Go to one of the consoles that are open."),
    Own("workbench.recordings", "M", "Recordings", "Play a recording of a console."),
    Own("workbench.everywhere", "P", "All projects", "Show machines of all projects, or of this one."),
    Own("workbench.line", "y", "Command line", "Show and copy the command line of the last action."),
    Own("workbench.theme", "T", "Theme", "Choose another theme; each is shown as one comes to it."),
    Own("workbench.quit", "q", "Quit", "Close the workbench; machines and builds go on."),
)

CONSOLE_LEAVE = "ctrl+right_square_bracket"
"""The chord that leaves a console."""

CONSOLE: tuple[Own, ...] = (
    Own("console.leave", CONSOLE_LEAVE, "Leave", "Leave the guest: what is typed then is the workbench's."),
    Own("console.type", "enter", "Type", "What is typed goes to the guest again.", True),
    Own("console.find", "/", "Search", "Search all that the console has shown.", True),
    Own("console.next", "n", "Next match", "Go to the next match, further down."),
    Own("console.previous", "N", "Match before", "Go to the match before, further up."),
    Own("console.select", "v", "Select", "Begin a selection at the cursor, or end it.", True),
    Own("console.lines", "V", "Select lines", "Begin a selection of whole lines, or end it."),
    Own("console.copy", "y", "Copy", "Copy the selection; without one the link or the line.", True),
    Own("console.split", "|", "Split", "Show another console beside this one, or only this one.", True),
    Own("console.other", "o", "Other side", "Go to the other one of two consoles."),
    Own("console.record", "m", "Record", "Record the console to a file (asciicast), or stop that.", True),
    Own("console.broadcast", "b", "Broadcast", "Type to several guests: this one joins, or leaves.", True),
    Own("console.all", "B", "Broadcast to all", "Type to all shells that are open, or stop that."),
)
"""What a console does by itself, once the chord has left it."""

_HIDDEN = frozenset({"workbench", "completion"})
"""Verbs that mean nothing inside of the workbench."""

_FIRST = (
    "machine.up", "machine.halt", "machine.ssh", "machine.provision", "snapshot.save", "machine.destroy",
    "box.add", "box.remove", "build.run",
)  # fmt: skip


def commands() -> list[CommandSpec]:
    """All commands of the registry that make sense here."""
    return [spec for spec in COMMANDS if spec.id not in _HIDDEN]


class Keymap:
    """Keys by command id. ``changes``: the user's own, from the settings."""

    def __init__(self, changes: Mapping[str, str] = {}) -> None:
        self._keys = {spec.id: changes.get(spec.id, spec.key) for spec in commands()}
        self._keys |= {own.id: changes.get(own.id, own.key) for own in (*OWN, *CONSOLE)}

    def key(self, id: str) -> str:
        return self._keys.get(id, "")

    def find(self, pressed: Iterable[str], kind: Subject) -> CommandSpec | Own | None:
        """What a key means while a thing of that kind is selected. ``pressed``: its name and its character.
        A command on that kind of thing comes before others."""
        names = set(pressed)
        found: CommandSpec | None = None
        for spec in commands():
            if self._keys[spec.id] in names and _fits(spec, kind):
                if spec.subject is kind:
                    return spec
                found = found or spec
        if found is not None:
            return found
        return next((own for own in OWN if self._keys[own.id] in names), None)

    def console(self, pressed: Iterable[str]) -> Own | None:
        """What a key means in a console that was left by the chord."""
        names = set(pressed)
        return next((own for own in CONSOLE if self._keys[own.id] in names), None)

    def footer(self, kind: Subject) -> list[CommandSpec]:
        """Commands with keys for that kind of thing, the usual ones first."""
        fitting = [spec for spec in commands() if self._keys[spec.id] and _shown(spec, kind)]
        order = {id: number for number, id in enumerate(_FIRST)}
        return sorted(fitting, key=lambda spec: order.get(spec.id, len(order)))


def _fits(spec: CommandSpec, kind: Subject) -> bool:
    if spec.subject in (Subject.MACHINE, Subject.BOX, Subject.BUILD):
        return spec.subject is kind
    # Keys such as "a" and "o" belong to the boxes, where they are listed.
    return not spec.id.startswith("box.") or kind is Subject.BOX


def _shown(spec: CommandSpec, kind: Subject) -> bool:
    if spec.subject is Subject.OPERATION:
        return kind is not Subject.NONE
    if spec.id.startswith("box."):
        return kind is Subject.BOX
    return spec.subject is kind and spec.subject is not Subject.NONE


def refusal(spec: CommandSpec, choice: Choice) -> str:
    """Why a command is not possible now, in a sentence; "" where it is."""
    if spec.subject is Subject.MACHINE:
        if choice.machine is None:
            return "No machine is selected."
        return spec.refusal(choice.machine, choice.probe)
    if spec.subject is Subject.BOX and choice.box is None:
        return "No box is selected."
    if spec.subject is Subject.BUILD and choice.build is None:
        return "No build is selected."
    if spec.id == "operation.cancel" and (choice.operation is None or choice.operation.state.ended):
        return f"Nothing runs on {choice.title}." if choice.title else "Nothing is selected."
    if spec.subject is Subject.OPERATION and choice.operation is None:
        return f"Nothing was done with {choice.title} yet." if choice.title else "Nothing is selected."
    if spec.subject is Subject.PROJECT and not choice.project:
        return "There is no project here."
    if spec.id == "engine.stop":
        return "The workbench needs the engine. From a shell: boxwright engine stop."
    return ""


def spoken(key: str) -> str:
    """A key as people write it."""
    words = {
        "escape": "esc",
        CONSOLE_LEAVE: "ctrl+]",
        "ctrl+@": "ctrl+space",
        "left_square_bracket": "[",
        "right_square_bracket": "]",
    }
    return words.get(key, key)
