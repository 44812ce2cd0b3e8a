"""The rows of the three panes, from the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from core import amounts
from core.model.box import Box
from core.model.machine import Machine
from core.model.operation import Operation, Progress, StepState
from core.model.query import BuildView
from tui import tips
from tui.look import signs as signs_of
from tui.look.lines import Part, clean
from tui.look.signs import Signs
from tui.panes.rows import Row
from tui.store import State

_BAR = 5


class MachineRows:
    """Rows of one project in the order of its file, or of all projects (""). Those of machines on which
    nothing has changed are the same objects as the last time."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Machine, str, Operation | None, Row]] = {}

    def __call__(self, state: State, project: str, signs: Signs) -> list[Row]:
        kept, rows = {}, []
        titles = project_titles(state) if not project else {}
        failed = _failed_last(state)
        for key, machine in _ordered(state, project):
            known = self._kept.get(key)
            title = titles.get(machine.key.project, "")
            failure = failed.get(key)
            if known is None or known[:3] != (machine, title, failure) or machine.holder:
                known = machine, title, failure, _machine_row(machine, key, state, title, failure, signs)
            kept[key] = known
            rows.append(known[3])
        self._kept = kept
        return rows


def _failed_last(state: State) -> dict[str, Operation]:
    """What was done last to each machine, where that failed."""
    latest: dict[str, Operation] = {}
    for operation in state.operations.values():
        known = latest.get(operation.subject)
        if operation.state.ended and (known is None or operation.ended > known.ended):
            latest[operation.subject] = operation
    return {key: one for key, one in latest.items() if one.state is StepState.FAILED}


def _machine_row(
    machine: Machine, key: str, state: State, title: str, failure: Operation | None, signs: Signs
) -> Row:
    """``title``: of its project, where machines of all projects are listed. ``failure``: of what was done
    last."""
    sign, role = signs_of.of_machine(machine.state, signs)
    operation = state.operation_of(key) if machine.holder else None
    if operation is not None and not operation.state.ended:
        sign, role = signs.busy, "busy"
    cells: list[Part] = [
        (sign, role),
        (clean(machine.name), "text"),
        (_state_word(machine, operation), role),
        (machine.provider or signs.dash, "muted"),
        (doing(state, operation, signs), "busy"),
    ]
    if failure is not None and not machine.holder:
        cells[-1] = (f"{signs.failed} {failure.title.partition(' ')[0]}", "bad")
    if title:
        cells.insert(2, (clean(title), "muted"))
    return Row(key, tuple(cells), tips.of_machine_state(machine, operation))


def project_titles(state: State, roots: Iterable[str] = ()) -> dict[str, str]:
    """The names of projects by their folders; those of one name with as much of the folder as tells them
    apart."""
    names = {root: root.rpartition("/")[2] for root in roots}
    names |= {root: view.name or names.get(root, root) for root, view in state.projects.items()}
    for machine in state.machines.values():
        root = machine.key.project
        names[root] = machine.project_name or names.get(root) or root.rpartition("/")[2]
    same = Counter(names.values())
    return {root: name if same[name] == 1 else _told_apart(root, name, names) for root, name in names.items()}


def _told_apart(root: str, name: str, names: Mapping[str, str]) -> str:
    others = [other for other, given in names.items() if given == name and other != root]
    parts = root.split("/")
    for count in range(1, len(parts) + 1):
        tail = "/".join(parts[-count:])
        if not any(f"/{other}".endswith(f"/{tail}") for other in others):
            return tail if tail.rpartition("/")[2] == name else f"{name} ({tail})"
    return root


class BoxRows:
    """Rows of boxes by name and version, before them those that are on their way. Where nothing has
    changed, the same tuple as the last time."""

    def __init__(self) -> None:
        self._boxes: Mapping[str, Box] = {}
        self._used: frozenset[tuple[str, str]] = frozenset()
        self._stored: tuple[Row, ...] = ()
        self._rows: tuple[Row, ...] = ()

    def __call__(self, state: State, signs: Signs) -> tuple[Row, ...]:
        used = frozenset(
            (machine.box, machine.box_version) for machine in state.machines.values() if machine.state.created
        )
        if state.boxes is not self._boxes or used != self._used:
            self._boxes, self._used = state.boxes, used
            boxes = sorted(state.boxes.values(), key=lambda item: item.key)
            self._stored = tuple(_box_row(box, (box.name, box.version) in used, signs) for box in boxes)
            self._rows = ()
        coming = _boxes_coming(state, signs)
        if coming or len(self._rows) != len(self._stored):
            self._rows = (*coming, *self._stored)
        return self._rows


def _boxes_coming(state: State, signs: Signs) -> list[Row]:
    rows = []
    for operation in sorted(state.operations.values(), key=lambda item: item.id):
        if operation.command == "box.add" and not operation.state.ended:
            name = operation.subject.removeprefix("box:") or operation.title
            does = doing(state, operation, signs) or operation.state.value
            cells = (
                (signs.busy, "busy"),
                (clean(name), "text"),
                ("adding", "busy"),
                (does, "busy"),
                ("", "muted"),
            )
            rows.append(Row(f"operation:{operation.id}", cells, "It is being added."))
    return rows


def _box_row(box: Box, used: bool, signs: Signs) -> Row:
    cells = (
        (signs.running, "good") if used else (" ", "muted"),
        (clean(box.name), "text"),
        (clean(box.version), "text"),
        (clean(box.key.provider), "muted"),
        (amounts.size(box.size), "muted"),
    )
    return Row(str(box.key), cells, "A machine uses it." if used else "No machine uses it.")


def build_rows(state: State, project: str, signs: Signs, now: float) -> list[Row]:
    """Of one project, or of all projects ("") with their titles."""
    if project:
        view = state.projects.get(project)
        return [_build_row(state, project, build, "", signs, now) for build in view.builds] if view else []
    titles = project_titles(state)
    shown = sorted(state.projects.values(), key=lambda view: (titles[view.root], view.root))
    return [
        _build_row(state, view.root, build, titles[view.root], signs, now)
        for view in shown
        for build in view.builds
    ]


def _build_row(state: State, project: str, build: BuildView, title: str, signs: Signs, now: float) -> Row:
    """``title``: of its project, where builds of all projects are listed."""
    key = f"build:{project}:{build.name}"
    operation = state.operation_of(key) or state.operations.get(build.operation)
    sign, role, word = _build_state(build, operation, signs)
    running = operation is not None and not operation.state.ended
    detail = doing(state, operation, signs) if running else _when(build, operation, now)
    if build.question:
        detail = clean(build.question)
    cells: list[Part] = [(sign, role), (clean(build.name), "text"), (word, role), (detail, "muted")]
    if title:
        cells.insert(2, (clean(title), "muted"))
    return Row(key, tuple(cells), tips.of_build(word, build.question))


def progress_text(progress: Progress, signs: Signs, width: int = _BAR) -> str:
    """``▰▰▱ 40 %``; without a known total how far it is."""
    if progress.total:
        share = min(1.0, progress.current / progress.total)
        return f"{signs_of.bar(progress.current, progress.total, width, signs)} {share:.0%}"
    return (
        amounts.size(progress.current)
        if progress.unit in ("bytes", "B")
        else f"{progress.current:g} {progress.unit}".strip()
    )


def _ordered(state: State, project: str) -> Iterable[tuple[str, Machine]]:
    machines = state.machines.items()
    if not project:
        return sorted(machines, key=lambda item: item[1].key)
    view = state.projects.get(project)
    order = {name: number for number, name in enumerate(view.machines)} if view else {}
    return sorted(
        (item for item in machines if item[1].key.project == project),
        key=lambda item: (order.get(item[1].name, len(order)), item[1].name),
    )


def _state_word(machine: Machine, operation: Operation | None) -> str:
    if operation is not None and operation.state is StepState.WAITING:
        return f"{machine.state.value}, waits"
    return machine.state.value


def doing(state: State, operation: Operation | None, signs: Signs) -> str:
    """The step that runs now, and how far it is."""
    if operation is None or operation.state.ended:
        return ""
    running = [step for step in state.steps_of(operation.id) if step.state is StepState.RUNNING]
    if not running:
        return operation.title
    step = running[-1]
    name = clean(step.name)
    return f"{progress_text(step.progress, signs)}  {name}" if step.progress else name


def _build_state(build: BuildView, operation: Operation | None, signs: Signs) -> tuple[str, str, str]:
    if build.question:
        return signs.asks, "warn", "asks (a)"
    if operation is not None and not operation.state.ended:
        word = "waits" if operation.state is StepState.WAITING else "building"
        return signs.busy, "busy", word
    if operation is not None and operation.state is StepState.FAILED and build.state != "fresh":
        return signs.failed, "bad", "failed"
    match build.state:
        case "fresh":
            return signs.done, "good", "up to date"
        case "stale":
            return signs.suspended, "warn", "stale"
        case "running":
            return signs.busy, "busy", "building"
    return signs.absent, "muted", "not built"


def _when(build: BuildView, operation: Operation | None, now: float) -> str:
    if operation is None or not operation.ended:
        return amounts.ago(build.made, now) if build.made else ""
    took = amounts.duration(operation.ended - operation.started) if operation.started else ""
    return f"{took}  {amounts.ago(operation.ended, now)}".strip()
