"""Running a machine's or build's provisioners: which are due, in order, one step each."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from core.errors import BoxwrightError, NotFoundError
from core.guests.base import Guest
from core.model.project import Provision
from core.model.work import Work
from core.provisioners.base import ProvisionError
from core.provisioners.registry import provisioner


def fingerprints(project_root: str | Path, provisioners: Sequence[Provision]) -> tuple[str, ...]:
    """One for each: a digest of its declaration and of the host's files that it uses (read in full).

    Equal declarations differ by their count. Raises as ``Provisioner.check`` where files are missing.
    """
    seen: dict[str, int] = {}
    found = []
    for provision in provisioners:
        handler = provisioner(provision.kind)
        handler.check(provision, Path(project_root))
        digest = hashlib.sha256(msgspec.json.encode(provision, order="sorted"))
        digest.update(handler.inputs(provision, Path(project_root)))
        text = digest.hexdigest()[:32]
        count = seen[text] = seen.get(text, 0) + 1
        found.append(text if count == 1 else f"{text}-{count}")
    return tuple(found)


async def provision(
    guest: Guest,
    project_root: str | Path,
    provisioners: Sequence[Provision],
    *,
    done: Collection[str] = (),
    only: Sequence[str] = (),
    start_at: int = 0,
    force: bool | None = None,
    work: Work,
    machine: str = "",
    ran: Callable[[str], None] = lambda fingerprint: None,
) -> tuple[str, ...]:
    """Run what is due and return the fingerprints of those that ran.

    ``done``: fingerprints that ran before, on this machine. ``force``: None runs what is due ("once"
    unless done, "always"), True runs all but "never", False none. ``only``: exactly those with these
    names, whatever their ``run`` says. ``start_at`` counts from 1. ``ran`` is told each fingerprint
    at once, so that it can be kept even if a later step fails. ``machine`` is for the remedy.

    Raises ProvisionError for the step that failed, NotFoundError for unknown names and missing files
    (before anything runs).
    """
    _check_names(provisioners, only, start_at)
    marks = await asyncio.to_thread(fingerprints, project_root, provisioners)
    finished = []
    for number, (declared, mark) in enumerate(zip(provisioners, marks, strict=True), start=1):
        why = _left_out(declared, mark in done, number, only=only, start_at=start_at, force=force)
        async with work.step(f"Provision {number}/{len(provisioners)}  {title(declared)}") as step:
            if why:
                step.skipped(why)
                continue
            await _run(declared, guest, Path(project_root), step, number, machine)
            ran(mark)
            finished.append(mark)
    return tuple(finished)


def title(declared: Provision) -> str:
    """E.g. ``web server``, ``shell: apt-get update …``, ``file: app.conf → /etc/app.conf``."""
    if declared.name:
        return f"{declared.kind}: {declared.name}"
    if declared.kind == "file":
        return f"file: {declared.file} → {declared.to}"
    text = (declared.shell if declared.shell is not None else declared.script or "").strip()
    first = text.splitlines()[0] if text else ""
    cut = first[:60] + ("…" if len(first) > 60 or "\n" in text else "")
    return f"{declared.kind}: {cut}"


def _check_names(provisioners: Sequence[Provision], only: Sequence[str], start_at: int) -> None:
    names = [declared.name for declared in provisioners if declared.name]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise NotFoundError(
            f"There is no provisioner called {unknown[0]!r}.",
            why=f"Those with names are: {', '.join(names)}." if names else "None of them has a name.",
            remedy="give it one of these names" if names else "give it a 'name' in the project file",
        )
    if start_at > max(1, len(provisioners)):
        raise NotFoundError(
            f"There is no provisioner {start_at} to start at.",
            why=f"There are {len(provisioners)}, counted from 1.",
        )


def _left_out(
    declared: Provision,
    done: bool,
    number: int,
    *,
    only: Sequence[str],
    start_at: int,
    force: bool | None,
) -> str:
    """Why this one does not run; "" when it does."""
    if number < start_at:
        return f"comes before number {start_at}"
    if only:
        return "" if declared.name in only else "not among those named"
    if force is False:
        return "provisioning was switched off"
    if declared.run == "never":
        return "runs only when it is named"
    if force is None and declared.run == "once" and done:
        return "has run before"
    return ""


async def _run(declared: Provision, guest: Guest, root: Path, step: Work, number: int, machine: str) -> None:
    try:
        await provisioner(declared.kind).run(declared, guest, project_root=root, work=step)
    except BoxwrightError as error:
        problem = error.problem
        again = f"boxwright provision {machine} --start-at {number}" if machine else ""
        remedy = "; then: ".join(part for part in (problem.remedy, again) if part)
        script = root / declared.script if declared.script else None
        raise ProvisionError(
            problem.what,
            why=problem.why,
            remedy=remedy,
            place=problem.place,
            tail=problem.tail,
            files=(str(script),) if script is not None and script.is_file() else (),
        ) from error
