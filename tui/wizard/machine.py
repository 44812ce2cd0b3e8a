"""A new machine, in the project that is shown or in a new one: asked for, shown, and then written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import BoxwrightError
from core.model.command import SearchBoxes
from core.model.operation import StepState
from core.model.project import NAME_PATTERN, MachineSpec
from core.projects.edit import ProjectEditor
from core.projects.fields import FieldKind, FormField
from core.projects.reader import PROJECT_FILE
from core.projects.wording import as_name
from tui.wizard.boxes import BoxPicker, Offer
from tui.wizard.fields import Choices
from tui.wizard.preview import Preview
from tui.wizard.record import Plan, RecordForm

if TYPE_CHECKING:
    from textual.app import App

    from core.model.provider import Probe
    from tui.bridge import Bridge
    from tui.store import State

_ORDER = (
    "box",
    "provider",
    "cpus",
    "memory",
    "hostname",
    "ports",
    "folders",
    "provision",
    "networks",
    "disks",
)
_PROVIDERS = ("qemu", "libvirt", "docker", "lxd", "lxc", "virtualbox")

_NAME = FormField(
    name="name", kind=FieldKind.TEXT, required=True, example="web", help="What the machine is called."
)
_FOLDER = FormField(
    name="folder", kind=FieldKind.TEXT, required=True, help="Where the project's file is written."
)
_PROJECT = FormField(name="project", kind=FieldKind.TEXT, required=True, help="What the project is called.")


class Written(msgspec.Struct, frozen=True):
    """What came of it."""

    root: str
    machine: str


class MachineWizard:
    """One run of it; ``ask`` returns None where the user thinks better of it."""

    def __init__(self, app: App[Any], bridge: Bridge) -> None:
        self._app = app
        self._bridge = bridge

    async def ask(self, root: str) -> Written | None:
        """``root``: the project's folder; "" begins a new project, and one that is only templates gets a file
        of its own. Raises BoxwrightError."""
        values: dict[str, Any] = {}
        if not root or not await asyncio.to_thread((Path(root) / PROJECT_FILE).exists):
            values, root = _new_project(Path(root or Path.cwd())), ""
        while True:
            names = await asyncio.to_thread(_machines, root)
            plan = _plan(root, names, self._bridge.state)
            answer = await self._app.push_screen_wait(RecordForm(plan, values, {"box": self._choose_box}))
            if answer is None:
                return None
            values = answer
            written = await self._write(root, answer)
            if written is not None:
                return written

    async def _write(self, root: str, answer: Mapping[str, Any]) -> Written | None:
        """None where the user wants to go back to the form."""
        table = {key: value for key, value in answer.items() if key not in ("name", "folder", "project")}
        editor = await asyncio.to_thread(_editor, root, answer)
        before = editor.text if root else ""
        editor.add_machine(answer["name"], _ordered(table))
        title = f"{'Change' if root else 'New file'} {editor.file}"
        if not await self._app.push_screen_wait(Preview(title, before, editor.text)):
            return None
        await asyncio.to_thread(editor.save)
        return Written(str(editor.file.parent), answer["name"])

    async def _choose_box(self, value: Any) -> Any:
        text = value if isinstance(value, str) else ""
        offers = box_offers(self._bridge.state, self._bridge.project)
        return await self._app.push_screen_wait(BoxPicker(offers, self._search, text))

    async def _search(self, text: str) -> list[dict[str, Any]]:
        id = await self._bridge.submit(SearchBoxes(text=text))
        operation = await self._bridge.outcome(id)
        if operation.state is StepState.FAILED and operation.problem is not None:
            raise BoxwrightError(operation.problem.what, why=operation.problem.why)
        return [entry for entry in operation.result or () if isinstance(entry, dict)]


def _new_project(here: Path) -> dict[str, Any]:
    if (here / PROJECT_FILE).exists():
        return {"name": "default"}
    return {"folder": str(here), "project": as_name(here.name) or "project", "name": "default"}


def _machines(root: str) -> tuple[str, ...]:
    """The names that are taken. Raises as ProjectEditor does."""
    return tuple(ProjectEditor(root).machines) if root else ()


def _editor(root: str, answer: Mapping[str, Any]) -> ProjectEditor:
    return ProjectEditor(root) if root else ProjectEditor.new(answer["folder"], answer["project"])


def _plan(root: str, taken: Sequence[str], state: State) -> Plan:
    installed = set(state.probes)
    return Plan(
        model=MachineSpec,
        title="New machine" if root else "New project",
        done="Show the file",
        extra=(_NAME,) if root else (_FOLDER, _PROJECT, _NAME),
        order=_ORDER,
        hidden=frozenset(name for name in _PROVIDERS if name not in installed),
        choices={"provider": provider_choices(state.probes)},
        check=lambda values: _wrong_name(values, taken, root),
    )


def _wrong_name(values: Mapping[str, Any], taken: Sequence[str], root: str) -> str:
    for key in ("project", "name"):
        text = values.get(key)
        if text is not None and not _is_name(text):
            better = as_name(text)
            hint = f" Did you mean {better!r}?" if better else ""
            return f"{text!r} cannot be a name: letters, digits, '.', '_' and '-'.{hint}"
    if values["name"] in taken:
        return f"There is a machine {values['name']!r} already."
    if not root and (Path(values["folder"]).expanduser() / PROJECT_FILE).exists():
        return f"There is a {PROJECT_FILE} in {values['folder']} already."
    return ""


def _is_name(text: str) -> bool:
    import re

    return re.fullmatch(NAME_PATTERN.rstrip("$"), text) is not None and len(text) <= 63


def _ordered(table: Mapping[str, Any]) -> dict[str, Any]:
    """As a person would write it: what it is made of first, lists last."""
    rank = {name: number for number, name in enumerate(_ORDER)}
    return dict(sorted(table.items(), key=lambda item: rank.get(item[0], len(rank))))


def provider_choices(probes: Mapping[str, Probe]) -> Choices:
    """The project's own choice, then every provider, and why where one is not usable here."""
    choices: list[tuple[str, Any]] = [("as the project says", [])]
    for name in sorted(probes, key=lambda name: (not probes[name].usable, name)):
        probe = probes[name]
        said = "works here" if probe.usable else f"not here: {probe.why}"
        choices.append((f"{name}, {said}", name))
    return choices


def box_offers(state: State, project: str) -> list[Offer]:
    """What is here: the project's builds, then the boxes of the store, each name once."""
    view = state.projects.get(project)
    builds = view.builds if view is not None else ()
    offers = [
        Offer(build.name, build.box.version if build.box else "", "", "built here", {"build": build.name})
        for build in builds
    ]
    boxes: dict[str, list[Any]] = {}
    for box in state.boxes.values():
        boxes.setdefault(box.name, []).append(box)
    for name, same in sorted(boxes.items()):
        providers = ", ".join(sorted({box.key.provider for box in same}))
        offers.append(Offer(name, max(same, key=lambda box: box.added).version, providers, "in the store"))
    return offers
