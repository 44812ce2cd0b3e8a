"""Keys: which one does what now. Commands bring theirs from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.keys import Keys, _character_to_key

from core.commands import COMMANDS, CommandSpec, Subject
from core.model.machine import MachineState
from core.model.provider import Capability
from tui.bindings import CONSOLE, CONSOLE_LEAVE, LOG, OWN, PLACES, SCREEN, Own
from tui.choice import Choice
from tui.settings import CustomCommand, On

_HIDDEN = frozenset({"workbench", "completion"})
"""Verbs that mean nothing inside of the workbench."""

_FIRST = (
    "machine.up", "machine.halt", "machine.ssh", "machine.provision", "snapshot.save", "machine.destroy",
    "box.add", "box.remove", "build.run",
)  # fmt: skip


def commands() -> list[CommandSpec]:
    """All commands of the registry that make sense here."""
    return [spec for spec in COMMANDS if spec.id not in _HIDDEN]


_LOOKING = frozenset({"box.search", "box.outdated", "box.verify"})
"""Operations that change nothing."""

_CHANGING = frozenset(
    {
        "machine.ssh", "machine.serial", "project.init", "operation.cancel", "engine.stop", "template.fmt",
        "template.convert", "workbench.new", "workbench.again", "workbench.shell-here",
        "workbench.clean-up", "workbench.edit", "workbench.editor",
    }
)  # fmt: skip
"""What changes something without being an operation of the engine, or lets one do so."""


def changes(what: CommandSpec | Own) -> bool:
    """Whether it can change anything but what is shown."""
    if what.id in _CHANGING or what.id.startswith("custom."):
        return True
    return isinstance(what, CommandSpec) and what.struct is not None and what.id not in _LOOKING


_HELD = frozenset({"ctrl", "alt", "shift", "meta", "super", "hyper"})
_NAMED = {key.value.rpartition("+")[2] for key in Keys} | {_character_to_key(chr(n)) for n in range(32, 127)}
"""Of keys that are no character."""


class Keymap:
    """Keys by command id. ``changes``: the user's own, from the settings, as are ``custom`` commands.
    With ``read_only``, which says by what, nothing that changes anything has a key."""

    def __init__(
        self,
        changes: Mapping[str, str] = {},
        custom: Sequence[CustomCommand] = (),
        *,
        read_only: str = "",
    ) -> None:
        self.read_only = read_only
        self.custom = {f"custom.{one.name}": one for one in custom}
        self.own = (*OWN, *(_own(one) for one in custom))
        self.every_own = (*self.own, *CONSOLE, *LOG, *SCREEN)
        everything: list[CommandSpec | Own] = [*commands(), *self.every_own]
        # A key that there is none of leaves the usual one.
        usable = {id: key for id, key in changes.items() if not key or is_key(key)}
        keys = {what.id: usable.get(what.id, what.key) for what in everything}
        forbidden = {what.id for what in everything if self.forbids(what)}
        self._keys = {id: "" if id in forbidden else key for id, key in keys.items()}
        self._without = [(what, keys[what.id]) for what in everything if what.id in forbidden]
        """What would have a key, if it were not for read-only."""
        self.complaints = _complaints(changes, self._keys)

    def own_by_id(self, id: str) -> Own | None:
        """What the workbench does by itself under that name."""
        return next((own for own in self.every_own if own.id == id), None)

    def forbids(self, what: CommandSpec | Own) -> str:
        """Why it can never be done here; "" where it can."""
        return f"The workbench is read-only, by {self.read_only}." if self.read_only and changes(what) else ""

    def key(self, id: str) -> str:
        return self._keys.get(id, "")

    def find(self, pressed: Iterable[str], kind: Subject) -> CommandSpec | Own | None:
        """What a key means while a thing of that kind is selected. ``pressed``: its name and its character.
        A command on that kind of thing comes before others."""
        names = set(pressed)
        for id, one in self.custom.items():
            if self._keys[id] in names and one.on in (kind.value, On.ANYTHING):
                return next(own for own in self.own if own.id == id)
        found: CommandSpec | None = None
        for spec in commands():
            if self._keys[spec.id] in names and _fits(spec, kind):
                if spec.subject is kind:
                    return spec
                found = found or spec
        if found is not None:
            return found
        found_here = next((own for own in self.own if self._keys[own.id] in names), None)
        return found_here or self._forbidden(names, kind)

    def _forbidden(self, names: set[str], kind: Subject) -> CommandSpec | Own | None:
        """What the key would do, to say why it does not."""
        fitting = (
            what
            for what, key in self._without
            if key in names and (isinstance(what, Own) or _fits(what, kind))
        )
        return next(fitting, None)

    def console(self, pressed: Iterable[str]) -> Own | None:
        """What a key means in a console that was left by the chord."""
        names = set(pressed)
        return next((own for own in CONSOLE if self._keys[own.id] in names), None)

    def at(self, place: str, pressed: Iterable[str]) -> Own | None:
        """What a key means in a place that has keys of its own."""
        names = set(pressed)
        return next((own for own in PLACES.get(place, ()) if self._keys[own.id] in names), None)

    def footer(self, kind: Subject) -> list[CommandSpec]:
        """Commands with keys for that kind of thing, the usual ones first."""
        fitting = [spec for spec in commands() if self._keys[spec.id] and _shown(spec, kind)]
        order = {id: number for number, id in enumerate(_FIRST)}
        return sorted(fitting, key=lambda spec: order.get(spec.id, len(order)))


def _own(one: CustomCommand) -> Own:
    does = one.line or one.guest or one.host
    return Own(f"custom.{one.name}", one.key, one.title or one.name, one.help or does)


def _complaints(changes: Mapping[str, str], keys: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with the user's own keys."""
    found = [f"There is no command {id!r} to give a key to." for id in changes if id not in keys]
    found += [
        f"There is no key {key!r} to give to {id}." for id, key in changes.items() if key and not is_key(key)
    ]
    for id, key in changes.items():
        group = id.partition(".")[0]
        others = [
            other
            for other, taken in keys.items()
            if key and taken == key and other != id and other.partition(".")[0] == group
        ]
        found += [f"The key {key!r} is {other}'s as well as {id}'s." for other in others]
    return tuple(found)


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
    if spec.id == "build.screen":
        return kind in (Subject.MACHINE, Subject.BUILD)
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
    if spec.id == "build.screen" and not screens_of(choice):
        return _no_screen(choice)
    if spec.id == "operation.cancel" and (choice.operation is None or choice.operation.state.ended):
        return f"Nothing runs on {choice.title}." if choice.title else "Nothing is selected."
    if spec.subject is Subject.OPERATION and choice.operation is None:
        return f"Nothing was done with {choice.title} yet." if choice.title else "Nothing is selected."
    if spec.subject is Subject.PROJECT and not choice.project:
        return "There is no project here."
    if spec.id == "engine.stop":
        return "The workbench needs the engine. From a shell: boxwright engine stop."
    return ""


def screens_of(choice: Choice) -> dict[str, str]:
    """Sockets at which screens can be looked at, by the name of the machine or of a build's source."""
    if choice.build is not None:
        return choice.build.screens
    if choice.machine is not None and choice.machine.screen:
        return {choice.machine.name: choice.machine.screen}
    return {}


def _no_screen(choice: Choice) -> str:
    machine = choice.machine
    if choice.build is not None:
        return "Only a machine of the source qemu has a screen, while the build works on it."
    if machine is None:
        return "No machine and no build is selected."
    if machine.state is not MachineState.RUNNING:
        return f"{machine.name} does not run."
    if choice.probe is not None and Capability.SCREEN not in choice.probe.capabilities:
        return f"Machines of {machine.provider} have no screen to look at here."
    return f'{machine.name} has none: display = "vnc" in its table {machine.provider} gives it one.'


def out_of_place(own: Own, place: str, keymap: Keymap) -> str:
    """Why something of consoles or of logs is not possible, in a sentence, where the keys are elsewhere.
    ``place``: ``console``, ``log``, ``screen`` or ""."""
    group = own.id.partition(".")[0]

    def key(id: str) -> str:
        return spoken(keymap.key(id))

    if group == place:
        return ""
    if group == "console":
        there = f"{key('machine.ssh')} opens one, {key('workbench.open')} goes to one that is open"
        return f"The keys are not in a console: {there}."
    if group == "log":
        return f"The keys are not in a log: {key('operation.logs')} opens it."
    if group == "screen":
        return f"The keys are not on a screen: {key('build.screen')} shows that of a machine."
    return ""


def is_key(name: str) -> bool:
    """Whether a terminal has such a key, in Textual's words: ``f5``, ``ctrl+x``, ``right_square_bracket``."""
    last = "+" if name.endswith("+") else name.rpartition("+")[2]
    held = name.removesuffix(last)
    if held and (not held.endswith("+") or not set(held[:-1].split("+")) <= _HELD):
        return False
    return len(last) == 1 or last in _NAMED


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
