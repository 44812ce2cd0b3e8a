"""What a project file says that its types allow but that cannot be: contradictions and things not there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.model.project import MachineSpec, Project, Provision, parse_size
from core.projects.network_checks import network_faults

if TYPE_CHECKING:
    from core.projects.diagnosis import Fault

SMALLEST_MEMORY = 16 * 1024**2
SMALLEST_DISK = 1024**2
LARGEST_SIZE = 1024**5


def contradictions(project: Project) -> list[Fault]:
    """Faults in the text itself; cheap, made at every reading."""
    faults: list[Fault] = []
    if project.name.endswith("\n"):
        faults.append(_fault(("project", "name"), "The project's name ends with a line break."))
    for name, machine in project.machines.items():
        faults += _names("machines", name)
        faults += _machine(name, machine)
    for name, build in project.builds.items():
        faults += _names("builds", name)
        faults += _size(("builds", name, "memory"), build.memory, SMALLEST_MEMORY)
        if build.source and build.source.bootstrap:
            faults += _size(
                ("builds", name, "source", "bootstrap", "size"), build.source.bootstrap.size, SMALLEST_DISK
            )
    faults += _fixed_ports(project)
    faults += network_faults(project)
    return faults


def missing_files(project: Project) -> list[Fault]:
    """Faults for scripts, files, folders and keys on the host that are not there."""
    root = Path(project.root)
    faults: list[Fault] = []
    for name, machine in project.machines.items():
        here = ("machines", name)
        faults += _provisioners(root, here, machine.provision)
        for number, folder in enumerate(machine.folders):
            path = _on_host(root, folder.host)
            if not path.is_dir():
                faults.append(_absent((*here, "folders", number, "host"), "folder", folder.host, path))
        if machine.ssh.identity:
            path = _on_host(root, machine.ssh.identity)
            if not path.is_file():
                faults.append(_absent((*here, "ssh", "identity"), "key file", machine.ssh.identity, path))
    for name, build in project.builds.items():
        faults += _provisioners(root, ("builds", name), build.provision)
        if build.template and not _on_host(root, build.template).exists():
            path = _on_host(root, build.template)
            faults.append(_absent(("builds", name, "template"), "template", build.template, path))
    return faults


def _fault(path: tuple[str | int, ...], what: str, why: str = "", remedy: str = "") -> Fault:
    from core.projects.diagnosis import Fault

    return Fault(path, what, why, remedy)


def _names(table: str, name: str) -> Iterator[Fault]:
    if name.endswith("\n"):
        yield _fault(
            (table, name), f"The name {name!r} ends with a line break.", remedy="take the line break out"
        )


def _machine(name: str, machine: MachineSpec) -> Iterator[Fault]:
    here = ("machines", name)
    yield from _size((*here, "memory"), machine.memory, SMALLEST_MEMORY)
    seen = set()
    for number, disk in enumerate(machine.disks):
        yield from _size((*here, "disks", number, "size"), disk.size, SMALLEST_DISK)
        if disk.name in seen:
            yield _fault((*here, "disks", number, "name"), f"Two disks of {name!r} are called {disk.name!r}.")
        seen.add(disk.name)
    for key in ("boot_timeout", "halt_timeout"):
        if not math.isfinite(getattr(machine, key)):
            yield _fault((*here, key), f"{key} has to be a number of seconds.", remedy=f"write {key} = 300")
    if isinstance(machine.box, str) and not machine.box.strip():
        yield _fault((*here, "box"), f"The box of {name!r} is empty.", remedy="boxwright box list")
    inside = set()
    for number, port in enumerate(machine.ports):
        if (port.guest, port.protocol) in inside:
            yield _fault(
                (*here, "ports", number, "guest"),
                f"Port {port.guest}/{port.protocol} of {name!r} is forwarded twice.",
                remedy="take one of the two away",
            )
        inside.add((port.guest, port.protocol))


def _fixed_ports(project: Project) -> Iterator[Fault]:
    """Host ports that two machines insist on."""
    holders: dict[tuple[int, str], str] = {}
    for name, machine in project.machines.items():
        wanted = [
            (number, port.host, port.protocol, f"guest port {port.guest} of {name!r}")
            for number, port in enumerate(machine.ports)
            if port.host and not port.auto_correct
        ]
        for number, host, protocol, who in wanted:
            holder = holders.setdefault((host, protocol), who)
            if holder is not who:
                yield _fault(
                    ("machines", name, "ports", number, "host"),
                    f"Host port {host}/{protocol} is asked for twice.",
                    why=f"It is to be {who}, and {holder}, and neither may move (auto_correct = false).",
                    remedy="give one of them another host port, or take its 'auto_correct = false' away",
                )


def _size(path: tuple[str | int, ...], text: str, smallest: int) -> Iterator[Fault]:
    size = parse_size(text)
    if size < smallest:
        bare = text.strip().isdigit()
        yield _fault(
            path,
            f"{path[-1]} is {text!r}, which is {size} bytes; {smallest // 1024**2} MiB is the least.",
            why="A number without a unit counts bytes." if bare else "",
            remedy=f"did you mean '{text.strip()}MiB'?" if bare else f'write {path[-1]} = "512MiB"',
        )
    elif size > LARGEST_SIZE:
        yield _fault(path, f"{path[-1]} is {text!r}, more than any machine can have.")


def _provisioners(root: Path, here: tuple[str, str], steps: tuple[Provision, ...]) -> Iterator[Fault]:
    for number, step in enumerate(steps):
        for key, text in (("script", step.script), ("file", step.file)):
            if text is None:
                continue
            path = _on_host(root, text)
            wanted = path.is_file() if key == "script" else path.exists()
            if not wanted:
                yield _absent((*here, "provision", number, key), key, text, path)


def _on_host(root: Path, text: str) -> Path:
    return root / Path(text).expanduser()


def _absent(path: tuple[str | int, ...], kind: str, text: str, found: Path) -> Fault:
    why = "" if str(found) == text else f"It was looked for at {found}; paths start at the project's folder."
    what = f"There is no {kind} {text!r}."
    if found.exists():
        what = f"{text!r} is not a {kind}, but a {'folder' if found.is_dir() else 'file'}."
    return _fault(path, what, why, "make it, or correct the path")
