"""Asks before something is lost: names what goes and what stays. Cancel is chosen."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical

from core import amounts
from core.commands import CommandSpec
from core.model.machine import Machine
from core.model.provider import Capability
from tui.choice import Choice
from tui.dialogs.base import Button, Buttons, Dialog
from tui.look.lines import Part, wrap
from tui.orders import Values
from tui.store import State
from tui.views.lines import LinesView

_WIDTH = 68

_FOR_A_DAY = "for a day all of it can be brought back (Recover)"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    title: str
    goes: tuple[str, ...]
    stays: tuple[str, ...] = ()
    yes: str
    line: str = ""
    """The equivalent command line."""


class Confirm(Dialog[bool]):
    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._question.title.replace("[", "\\[")
        with frame:
            yield LinesView(id="question")
            yield Buttons([Button("no", "Cancel"), Button("yes", self._question.yes, "bad")])

    def on_mount(self) -> None:
        self.query_one(LinesView).can_focus = False
        lines = question_lines(self._question)
        self.query_one(LinesView).styles.height = len(lines)
        self.query_one(LinesView).set_lines(lines)
        self.query_one(Buttons).focus()

    def on_buttons_pressed(self, event: Buttons.Pressed) -> None:
        self.dismiss(event.button_id == "yes")


def question_lines(question: Question) -> list[list[Part]]:
    """What goes, what stays, and the command line."""
    lines: list[list[Part]] = []
    for label, texts, role in (("Goes", question.goes, "bad"), ("Stays", question.stays, "good")):
        for number, text in enumerate(texts):
            for part, piece in enumerate(wrap(text, _WIDTH - 8)):
                head = f"{label:<8}" if not number and not part else " " * 8
                lines.append([(head, role), (piece, "text")])
    if question.line:
        lines += [[], *([(text, "muted")] for text in wrap(f"$ {question.line}", _WIDTH))]
    return lines


def question(spec: CommandSpec, choice: Choice, values: Values, state: State, line: str) -> Question:
    """What is asked before a destructive command."""
    machine, box = choice.machine, choice.box
    if spec.id == "machine.destroy" and machine is not None:
        goes = [f"the machine {machine.name} with everything on its disks"]
        if machine.snapshots:
            names = amounts.listed([snapshot.name for snapshot in machine.snapshots])
            goes.append(f"{amounts.count(len(machine.snapshots), 'snapshot')}: {names}")
        return Question(
            title=f"Destroy {machine.name}?",
            goes=tuple(goes),
            stays=(
                f"its box {machine.box} {machine.box_version}".strip(),
                f"the project in {machine.key.project}",
                *([_FOR_A_DAY] if recoverable(machine, state) and not values.get("purge") else []),
            ),
            yes="Destroy",
            line=line,
        )
    if spec.id == "snapshot.restore" and machine is not None:
        return Question(
            title=f"Go back to {values.get('name')}?",
            goes=(f"what changed on {machine.name} since then",),
            stays=("all snapshots",),
            yes="Restore",
            line=line,
        )
    if spec.id == "snapshot.delete" and machine is not None:
        return Question(
            title=f"Delete the snapshot {values.get('name')}?",
            goes=(f"the snapshot {values.get('name')} of {machine.name}",),
            stays=(f"{machine.name} as it is now, and its other snapshots",),
            yes="Delete",
            line=line,
        )
    if spec.id == "box.remove" and box is not None:
        return _about_box(box.name, box.version, values, state, line)
    if spec.id == "box.prune":
        return Question(
            title="Prune boxes?",
            goes=("superseded versions that no machine is linked to", "leftovers of downloads"),
            stays=("the newest version of each box", "every box that a machine is linked to"),
            yes="Prune",
            line=line,
        )
    return Question(title=f"{spec.title}?", goes=(spec.help,), yes=spec.title, line=line)


def recoverable(machine: Machine, state: State) -> bool:
    """Whether it can be brought back once it is destroyed."""
    probe = state.probes.get(machine.provider)
    return probe is not None and Capability.RECOVER in probe.capabilities


def _about_box(name: str, version: str, values: Values, state: State, line: str) -> Question:
    users: Sequence[str] = sorted(
        machine.name
        for machine in state.machines.values()
        if machine.state.created and (machine.box, machine.box_version) == (name, version)
    )
    goes = [f"the box {name} {values.get('version') or version}"]
    stays = ["other versions of the box"]
    if users:
        who = amounts.listed(list(users))
        if values.get("force"):
            goes.append(f"the disks that {who} need: they will not start any more")
        else:
            stays.insert(0, f"all of it, while {who} need it: the engine refuses")
    return Question(title=f"Remove {name}?", goes=tuple(goes), stays=tuple(stays), yes="Remove", line=line)
