"""The overview of a machine, box or build, and what an empty place teaches: pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core import amounts
from core.model.box import Box
from core.model.machine import Machine, MachineState
from core.model.query import BuildView, ProjectView
from tui.choice import Choice
from tui.look import signs as signs_of
from tui.look.lines import Part, clean, wrap
from tui.look.signs import Signs
from tui.store import State
from tui.views.steps import problem_lines

Line = list[Part]

_LABEL = 14

Key = Callable[[str], str]
"""Which key a command has, as people write it; "" for none."""


def content(
    choice: Choice,
    state: State,
    *,
    width: int,
    signs: Signs,
    now: float,
    key: Key,
    pulse: Sequence[Line] = (),
) -> list[Line]:
    """``pulse``: lines on what a machine uses now."""
    if choice.machine is not None:
        lines = _machine(choice.machine, width, signs, now, key, pulse)
    elif choice.box is not None:
        lines = _box(choice.box, state, width, now)
    elif choice.build is not None:
        lines = _build(choice.build, width, now, key)
    else:
        return []
    return lines


def pair(label: str, value: str, width: int, role: str = "text") -> list[Line]:
    """A label and its value; a long value goes on below itself."""
    if not value:
        return []
    texts = wrap(value, max(10, width - _LABEL - 1))
    lines: list[Line] = [[(f"{label:<{_LABEL}}", "muted"), (texts[0], role)]]
    return lines + [[(" " * _LABEL, "text"), (text, role)] for text in texts[1:]]


def _machine(
    machine: Machine, width: int, signs: Signs, now: float, key: Key, pulse: Sequence[Line]
) -> list[Line]:
    sign, role = signs_of.of_machine(machine.state, signs)
    lines: list[Line] = [
        [(f"{sign} ", role), (clean(machine.name), "!text"), (f"  {machine.state.value}", role)],
        [],
    ]
    if machine.trouble:
        lines += [[(text, "bad")] for text in wrap(machine.trouble, width)] + [[]]
    lines += _holders(machine, width, now, key)
    lines += pair("Project", machine.key.project, width)
    box = f"{machine.box} {machine.box_version}".strip()
    lines += pair("Box", box, width)
    provider = (
        f"{machine.provider}  ({machine.provider_reason})" if machine.provider_reason else machine.provider
    )
    lines += pair("Provider", provider, width)
    if machine.memory:
        lines += pair("Size", f"{amounts.count(machine.cpus, 'CPU')}, {amounts.size(machine.memory)}", width)
    if machine.started and machine.state is MachineState.RUNNING:
        lines += pair("Running for", amounts.duration(now - machine.started), width)
    if machine.state.created:
        lines += pair("Provisioned", "yes" if machine.provisioned else "not yet", width)
    for name, value in sorted(machine.facts.items()):
        lines += pair(name.capitalize(), value, width)
    lines += _ways_in(machine, width)
    if machine.snapshots:
        lines += pair("Snapshots", ", ".join(snapshot.name for snapshot in machine.snapshots), width)
    if pulse:
        lines += [[], *pulse]
    return [*lines, [], *_next_step(machine, key, now)]


def _holders(machine: Machine, width: int, now: float, key: Key) -> list[Line]:
    lines: list[Line] = []
    if machine.holder:
        since = amounts.duration(now - machine.holder.since)
        lines += pair("Busy", f"{machine.holder.action} for {since}{_cancels(key)}", width, "busy")
    for holder in machine.waiting:
        lines += pair(
            "Then", f"{holder.action}, waiting {amounts.duration(now - holder.since)}", width, "muted"
        )
    return lines


def _cancels(key: Key) -> str:
    pressed = key("operation.cancel")
    return f"  ({pressed} cancels it)" if pressed else ""


def _ways_in(machine: Machine, width: int) -> list[Line]:
    lines: list[Line] = []
    if machine.endpoint:
        end = machine.endpoint
        lines += pair("SSH", f"{end.user}@{end.host} port {end.port}", width)
    for number, forward in enumerate(machine.ports):
        text = f"127.0.0.1:{forward.host} to {forward.guest}/{forward.protocol}"
        if forward.name:
            text += f"  {forward.name}"
        if forward.wanted:
            text += f"  (wanted {forward.wanted}, which is in use)"
        lines += pair("" if number else "Ports", text, width)
    return lines


def _next_step(machine: Machine, key: Key, now: float) -> list[Line]:
    """The key that one is most likely to want next."""
    match machine.state:
        case MachineState.ABSENT:
            words = [("machine.up", "creates and starts it")]
            if machine.kept:
                when = amounts.ago(machine.kept.destroyed, now)
                words.append(("machine.recover", f"brings back what was destroyed {when}"))
        case MachineState.STOPPED:
            words = [("machine.up", "starts it"), ("machine.destroy", "removes it")]
        case MachineState.SUSPENDED:
            words = [("machine.resume", "continues it"), ("machine.up", "does too")]
        case MachineState.RUNNING:
            words = [
                ("machine.ssh", "opens a shell"),
                ("machine.provision", "provisions it"),
                ("machine.halt", "halts it"),
            ]
        case MachineState.BROKEN:
            words = [("machine.destroy", "destroys it"), ("machine.up", "then makes it anew")]
        case _:
            return []
    line: Line = []
    for id, what in words:
        if key(id):
            line += [(key(id), "!accent"), (f" {what}   ", "muted")]
    return [line]


def _box(box: Box, state: State, width: int, now: float) -> list[Line]:
    lines: list[Line] = [[(clean(box.name), "!text"), (f"  {clean(box.version)}", "accent")], []]
    lines += pair(
        "For", box.key.provider + (f", {box.key.architecture}" if box.key.architecture else ""), width
    )
    lines += pair("Size", amounts.size(box.size), width)
    lines += pair(
        "Disks",
        ", ".join(f"{disk.name or disk.format} {amounts.size(disk.size)}" for disk in box.disks),
        width,
    )
    lines += pair("Added", amounts.ago(box.added, now), width)
    lines += pair("From", box.url or ("a build of this computer" if box.fingerprint else ""), width)
    lines += pair("Catalogue", box.catalogue, width)
    lines += pair("Checksum", box.checksum, width)
    lines += pair("Account", box.user, width)
    lines += pair("Firmware", box.firmware, width)
    users = [
        f"{machine.name} ({machine.key.project})"
        for machine in state.machines.values()
        if machine.state.created and (machine.box, machine.box_version) == (box.name, box.version)
    ]
    lines += pair("Machines", ", ".join(sorted(users)) or "none is linked to it", width)
    if box.description:
        lines += [[]] + [[(text, "text")] for text in wrap(box.description, width)]
    return lines


def _build(build: BuildView, width: int, now: float, key: Key) -> list[Line]:
    roles = {"fresh": "good", "stale": "warn", "running": "busy"}
    words = {
        "fresh": "up to date",
        "stale": "stale: something that it is made from has changed",
        "running": "building",
        "missing": "not built yet",
    }
    lines: list[Line] = [
        [
            (clean(build.name), "!text"),
            (f"  {words.get(build.state, build.state)}", roles.get(build.state, "muted")),
        ],
        [],
    ]
    lines += [[(text, "text")] for text in wrap(build.description, width)] + [[]] if build.description else []
    if build.box is not None:
        lines += pair("Made", f"{build.box.name} {build.box.version}", width)
        lines += pair("Size", amounts.size(build.box.size), width)
        lines += pair("When", amounts.ago(build.box.added, now), width)
    pressed = key("build.run")
    return [*lines, [], [(pressed, "!accent"), (" builds it", "muted")]] if pressed else lines


def empty(
    key: Key,
    state: State,
    project: str,
    view: ProjectView | None,
    *,
    connected: bool,
    width: int,
    signs: Signs,
) -> list[Line]:
    """What to do where nothing is selected."""
    if not connected:
        return [[("Connecting to the engine", "muted"), (signs.ellipsis, "muted")]]
    if view is not None and view.problem is not None:
        return problem_lines(view.problem, width, signs)
    if state.probes and not any(probe.usable for probe in state.probes.values()):
        return _teach(
            "Nothing here can run machines.",
            "A provider is needed, for instance QEMU: none of those that are known is usable.",
            [(key("workbench.prompt"), "doctor says of each what is missing, and the command that mends it")],
            width,
        )
    if not project and not state.machines:
        return _teach(
            "There is no project here.",
            "A project is a folder with a boxwright.toml; it describes machines and builds.",
            [
                (key("workbench.prompt"), "init makes one in this folder"),
                (key("workbench.help"), "shows all keys"),
                (key("workbench.quit"), "quits"),
            ],
            width,
        )
    if project and view is not None and not view.machines and not view.builds:
        return _teach(
            "The project has no machine yet.",
            "Add a table such as [machines.web] with a box to its boxwright.toml: it appears here at once.",
            [(key("project.validate"), "checks the file"), (key("workbench.help"), "shows all keys")],
            width,
        )
    return [[("Nothing is selected.", "muted")]]


def _teach(title: str, text: str, keys: list[tuple[str, str]], width: int) -> list[Line]:
    lines: list[Line] = [[(title, "!text")], []]
    lines += [[(part, "text")] for part in wrap(text, width)] + [[]]
    for key, what in keys:
        lines.append([(f"{key:>3}", "!accent"), (f"  {what}", "muted")])
    return lines
