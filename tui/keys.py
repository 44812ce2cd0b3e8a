"""Keys: which one does what now. Commands bring theirs from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.commands import COMMANDS, CommandSpec, Subject
from tui.bindings import CONSOLE, CONSOLE_LEAVE, LOG, OWN, Own
from tui.choice import Choice

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
        self._keys |= {own.id: changes.get(own.id, own.key) for own in (*OWN, *CONSOLE, *LOG)}

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

    def log(self, pressed: Iterable[str]) -> Own | None:
        """What a key means in a log."""
        names = set(pressed)
        return next((own for own in LOG if self._keys[own.id] in names), None)

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
