"""Runs a build's provisioners: the image is booted, changed from within, sealed and shut down."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from core.builds.process import run_tool
from core.builds.tools import QEMU_IMG, need
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.guests.keys import login_identities
from core.guests.wait import wait_for_guest
from core.model.machine import Disk, Endpoint, MachineKey, MachinePlan, MachineState, WantedPort
from core.model.project import BuildSpec, Project, parse_size
from core.model.work import Work
from core.paths import Locations
from core.providers.base import Provider
from core.providers.qemu import QemuProvider
from core.providers.qemu.layout import Layout
from core.provisioners.run import provision
from core.undo import SHARED

_BOOT_TIMEOUT = 600.0
_HALT_TIMEOUT = 120.0

_SEAL = r"""
rm -f /etc/dropbear/dropbear_*_host_key /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
if [ -f /etc/machine-id ]; then : > /etc/machine-id; fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -f /root/.ash_history /root/.bash_history "$HOME/.ash_history" "$HOME/.bash_history"
sync
"""
"""Removes what must be each machine's own (it is made again at the next boot), and what nobody needs."""


async def provisioned(
    image: Path,
    *,
    spec: BuildSpec,
    project: Project,
    name: str,
    folder: Path,
    locations: Locations,
    work: Work,
) -> Path:
    """Run the provisioners of ``spec`` in a machine made from ``image``; returns the image that comes out.

    The machine lies in ``folder`` and answers on loopback only. Raises BoxwrightError, among them
    ProvisionError for a step that failed.
    """
    qemu = QemuProvider()
    identity = secrets.token_hex(6)
    plan = _plan(identity, image, spec, project, name, folder, locations)
    runtime = work.intend("path", path=plan.runtime)
    _make_folders(plan)
    try:
        async with work.step("Boot the image") as step:
            await qemu.create(plan, step)
            started = await qemu.start(plan, step)
            step.note(started.facts.get("acceleration", ""))
        endpoint = Endpoint(
            host=started.ssh_host,
            port=started.ssh_port,
            user="vagrant",
            known_hosts=f"{plan.folder}/known_hosts",
        )
        async with work.step("Wait for SSH") as step:
            guest = await wait_for_guest(
                endpoint, work=step, timeout=_BOOT_TIMEOUT, identities=login_identities(plan.folder)
            )
        try:
            await provision(guest, project.root, spec.provision, work=work)
            async with work.step("Seal the system") as step:
                await _seal(guest, step)
        finally:
            await guest.close()
        async with work.step("Shut down") as step:
            await qemu.stop(plan, step)
            await _expect_stopped(qemu, plan)
        result = await _flatten(plan, image, folder, work)
        await qemu.destroy(plan, work)
        await SHARED["path"]({"path": plan.runtime})
        runtime.settle()
    finally:
        await qemu.close()
    return result


def _plan(
    identity: str,
    image: Path,
    spec: BuildSpec,
    project: Project,
    name: str,
    folder: Path,
    locations: Locations,
) -> MachinePlan:
    return MachinePlan(
        id=identity,
        key=MachineKey(project=project.root, name=f"build-{name}"),
        folder=str(folder / "machine"),
        runtime=str(locations.machine_runtime(identity)),
        disks=(Disk(path=str(image)),),
        cpus=spec.cpus,
        memory=parse_size(spec.memory),
        ports=(WantedPort(guest=22, name="ssh"),),
        halt_timeout=_HALT_TIMEOUT,
    )


def _make_folders(plan: MachinePlan) -> None:
    for path in (plan.folder, plan.runtime):
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)


async def _seal(guest: Guest, work: Work) -> None:
    ran = await guest.run("sudo -n sh -s", stdin=_SEAL.encode(), stdout=work.write, stderr=work.write)
    if ran.status:
        raise BoxwrightError(
            f"The system could not be sealed (exit status {ran.status}).",
            why="Its host keys and other things that must differ from machine to machine stay in it.",
        )


async def _expect_stopped(provider: Provider, plan: MachinePlan) -> None:
    seen = (await provider.states([plan])).get(plan.id)
    if seen is not None and seen.state is not MachineState.STOPPED:
        raise BoxwrightError(f"The machine of the build is {seen.state}, not stopped.", why=seen.trouble)


async def _flatten(plan: MachinePlan, image: Path, folder: Path, work: Work) -> Path:
    """The machine's linked clone and the image below it, as one image."""
    overlay = Layout.of(plan).home / "disk0.qcow2"
    result = folder / "built.qcow2"
    async with work.step("Merge the changes") as step:
        await run_tool(
            [need(QEMU_IMG), "convert", "-f", "qcow2", "-O", "qcow2", str(overlay), str(result)],
            work=step,
            doing="merging the image",
        )
        await asyncio.to_thread(image.unlink)
        step.note(f"{result.stat().st_size / 1e6:.0f} MB")
    return result
