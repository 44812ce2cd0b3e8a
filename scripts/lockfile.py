"""The lock files: what goes in, and whether they are complete and up to date.

python scripts/lockfile.py build-requirements   what building the project needs, one a line
python scripts/lockfile.py extra NAME           what an extra needs, one a line
python scripts/lockfile.py sign FILE            put the heading on a new lock
python scripts/lockfile.py check                compare all locks with pyproject.toml
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HEADING = "# Written by `make lock` from pyproject.toml; not to be edited.\n"
EDITABLE = "editables"
"""What hatchling needs besides, to install a project in place."""


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def build_requirements() -> list[str]:
    return [*project()["build-system"]["requires"], EDITABLE]


def extra(name: str) -> list[str]:
    """What the extra ``name`` needs."""
    found: list[str] = project()["project"]["optional-dependencies"][name]
    return found


def sign(path: Path) -> None:
    body = path.read_text()
    path.write_text(body if body.startswith(HEADING) else HEADING + body)


def check() -> list[str]:
    """What is wrong with the locks, one sentence each."""
    wanted = project()
    run = [*wanted["project"]["dependencies"], *build_requirements()]
    test = [*run, *wanted["dependency-groups"]["dev"]]
    locks = {
        "requirements.lock": run,
        "requirements-dev.lock": test,
        "requirements-libvirt.lock": extra("libvirt"),
    }
    return [fault for name, requirements in locks.items() for fault in _faults(name, requirements)]


def _faults(name: str, requirements: list[str]) -> list[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    text = (ROOT / name).read_text()
    faults = [f"{name} holds an address" for _ in re.findall(r"://|--index|--find-links", text)[:1]]
    pins = {}
    for entry in re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip()):
        found = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry)
        if not found:
            faults.append(f"{name}: not a pinned package: {entry.splitlines()[0]}")
            continue
        pins[canonicalize_name(found[1])] = found[2]
        if "--hash=sha256:" not in entry:
            faults.append(f"{name}: {found[1]} has no hash")
    for text in requirements:
        requirement = Requirement(text)
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            faults.append(f"{name} has no {requirement.name}")
        elif not requirement.specifier.contains(pin, prereleases=True):
            faults.append(
                f"{name} has {requirement.name} {pin}, pyproject.toml wants {requirement.specifier}"
            )
    return faults


def main(arguments: list[str]) -> int:
    match arguments:
        case ["build-requirements"]:
            print("\n".join(build_requirements()))
        case ["extra", name]:
            print("\n".join(extra(name)))
        case ["sign", path]:
            sign(Path(path))
        case ["check"]:
            faults = check()
            for fault in faults:
                print(fault, file=sys.stderr)
            if faults:
                print("To mend it: make lock", file=sys.stderr)
            return bool(faults)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
