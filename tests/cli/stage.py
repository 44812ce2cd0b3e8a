"""An engine for tests of the command line: real but for what machines do.

``python -m tests.cli.stage`` serves it at the socket of ``BOXWRIGHT_HOME``. What becomes of a machine is in
its name: ``slow...`` waits until it is cancelled (and leaves a mark when that is undone), ``stubborn...``
also takes its time to be undone (until the file ``release`` is there), ``bad...`` fails, ``noisy...`` prints
what terminals must not see; all others run at once. Boxes are handled by the real handlers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.builds.asking import about_failure
from core.engine.commands import Handlers
from core.engine.context import Context, Handler
from core.engine.engine import Engine
from core.engine.handlers import HANDLERS, subject, title
from core.engine.handlers.refusing import check
from core.engine.records import MachineRecord
from core.engine.server import Server
from core.errors import BoxwrightError
from core.model import command as commands
from core.model.box import BoxKey
from core.model.machine import Endpoint, Forward, MachineKey, MachinePlan, MachineState, Snapshot
from core.model.work import Work
from core.paths import locations
from core.providers.base import Started
from tests.support.fake_provider import FakeProvider

SSH = "STAGE_SSH"
"""A variable: port, account, key and known hosts of a server that stands for the guests."""

SCREEN = "STAGE_SCREEN"
"""A variable: the socket of a machine's screen. With it, builds have that screen until there is a file
``installed`` in the project."""

NOISE = (
    b"\x1b[32mgreen\x1b[0m\n"
    b"  1%\r 50%\r100%\n"
    b"\x1b[2J\x1b]0;owned\x07cleared\n"
    b"bad bytes \xff\xfe\n" + b"x" * 200_000 + b"\n"
)


async def up(context: Context, command: commands.Up, work: Work) -> None:
    name = command.machine.name
    async with work.step("Box tiny 1") as step:
        step.cached()
    async with work.step("Linked clone") as step:
        step.progress(50, 100, "bytes")
        step.progress(100, 100, "bytes")
    async with work.step("Provision 1/1") as step:
        if name.startswith("noisy"):
            step.write(NOISE)
        else:
            step.write(f"hello from {name}\n".encode())
        if name.startswith(("slow", "stubborn")):
            step.intend("stage.mark", folder=command.machine.project, name=name)
            step.write(b"waiting\n")
            await asyncio.Event().wait()
        if name.startswith("bad"):
            raise BoxwrightError(
                "The provisioner failed.",
                why="Its exit status is 3.",
                remedy=f"boxwright provision {name} --start-at 1",
                tail=("line one", "line two"),
            )
    _put(context, command.machine, MachineState.RUNNING)
    work.commit()


def _put(context: Context, key: MachineKey, state: MachineState, **fields: Any) -> None:
    old = context.machines.get(key)
    running = state is MachineState.RUNNING
    port, user, identity, known_hosts = os.environ.get(SSH, "2222 vagrant /keys/id /keys/known").split()
    ports = (Forward(22, int(port), name="ssh"), Forward(80, 8080, wanted=80))
    started = Started(ports=ports, ssh_port=int(port))
    if old is None:
        plan = MachinePlan(
            id=uuid.uuid4().hex[:12],
            key=key,
            folder=str(context.locations.machines / key.name),
            runtime=str(context.locations.runtime / key.name),
            disks=(),
        )
        old = MachineRecord(
            plan=plan,
            provider="fake",
            project_name="shop",
            box=BoxKey("tiny", "1", "qemu"),
            created=time.time(),
            user=user,
            identity=identity,
            known_hosts=known_hosts,
        )
    context.machines.put(
        msgspec.structs.replace(
            old,
            state=state,
            started=started if running else None,
            started_at=time.time() if running else 0.0,
            **fields,
        )
    )


def _becomes(state: MachineState) -> Handler:
    async def handler(context: Context, command: Any, work: Work) -> None:
        _put(context, command.machine, state)

    return handler


async def destroy(context: Context, command: commands.Destroy, work: Work) -> None:
    context.machines.remove(command.machine)


async def provision(context: Context, command: commands.Provision, work: Work) -> None:
    async with work.step("Provision", detail=" ".join(command.only)) as step:
        step.write(b"provisioned\n")


async def save(context: Context, command: commands.SaveSnapshot, work: Work) -> None:
    record = context.machines.require(command.machine)
    new = Snapshot(name=command.name, created=time.time(), current=True)
    _put(context, command.machine, record.state, snapshots=(*record.snapshots, new))


async def forget(context: Context, command: commands.DeleteSnapshot, work: Work) -> None:
    record = context.machines.require(command.machine)
    left = tuple(one for one in record.snapshots if one.name != command.name)
    _put(context, command.machine, record.state, snapshots=left)


async def restore(context: Context, command: commands.RestoreSnapshot, work: Work) -> None:
    async with work.step("Restore", detail=command.name):
        pass


async def transfer(context: Context, command: Any, work: Work) -> Any:
    return {"source": command.source, "target": command.target}


async def build(context: Context, command: commands.RunBuild, work: Work) -> Any:
    async with work.step("Bootstrap") as step:
        step.write(b"building\n")
    if SCREEN in os.environ:
        show = context.screens.shower(f"build:{command.project}:{command.name}")
        show("qemu.base", os.environ[SCREEN])
        await _appears(Path(command.project, "installed"))
        show("qemu.base", "")
    if command.on_error == "ask":
        await _until_mended(context, command, work)
    return {"box": command.name}


async def _until_mended(context: Context, command: commands.RunBuild, work: Work) -> None:
    """A step that fails for as long as there is no file ``mended`` in the project."""
    ask = context.asker(f"build:{command.project}:{command.name}", work)
    endpoint = None
    if SSH in os.environ:
        port, user, identity, known_hosts = os.environ[SSH].split()
        endpoint = Endpoint(
            host="127.0.0.1", port=int(port), user=user, identity=identity, known_hosts=known_hosts
        )
    async with work.step("Provision 1/1  shell: script.sh") as step:
        while not await asyncio.to_thread(Path(command.project, "mended").exists):
            question = about_failure("shell: script.sh", "", endpoint)
            if await ask(question, step) != "retry":
                raise BoxwrightError("The script failed.")
        step.write(b"it worked\n")


async def undo(facts: Mapping[str, Any]) -> None:
    folder = Path(facts["folder"])
    if facts["name"].startswith("stubborn"):
        await _appears(folder / "release")
    (folder / f"undone-{facts['name']}").touch()


async def _appears(path: Path) -> None:
    while not path.exists():  # noqa: ASYNC110 (made by another process, which cannot tell us)
        await asyncio.sleep(0.02)


def handlers() -> Handlers:
    table: dict[type[Any], Handler] = {
        **HANDLERS,
        commands.Up: up,
        commands.Reload: up,
        commands.Halt: _becomes(MachineState.STOPPED),
        commands.Suspend: _becomes(MachineState.SUSPENDED),
        commands.Resume: _becomes(MachineState.RUNNING),
        commands.Destroy: destroy,
        commands.Provision: provision,
        commands.SaveSnapshot: save,
        commands.RestoreSnapshot: restore,
        commands.DeleteSnapshot: forget,
        commands.Upload: transfer,
        commands.Download: transfer,
        commands.RunBuild: build,
    }
    return Handlers(table=table, subject=subject, title=title, refuse=check, undo={"stage.mark": undo})


async def main() -> None:
    where = locations().prepare()
    engine = Engine(where, providers={"fake": Silent()}, handlers=handlers(), idle_exit=120)
    await engine.start()
    server = Server(engine)
    await server.start()
    loop = asyncio.get_running_loop()
    term = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, term.set)
    print("ready", flush=True)
    ends = [asyncio.create_task(one) for one in (term.wait(), engine.stopped())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await engine.stop(force=True)
    await server.close("The test is over.")
    for end in ends:
        end.cancel()


class Silent(FakeProvider):
    """Says of machines what their records say: those of the stage exist nowhere else."""

    async def states(self, plans: Any) -> dict[str, Any]:
        return {}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
