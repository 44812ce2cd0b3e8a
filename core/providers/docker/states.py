"""What is really there of a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen
from core.providers.docker import containers
from core.providers.docker import record as records
from core.providers.docker.containers import Row
from core.providers.docker.context import Context, address_of
from core.providers.docker.daemon import Daemon
from core.providers.docker.layout import Layout
from core.providers.docker.power import started
from core.providers.docker.record import Record
from core.providers.looking import look_by_place

_STATES = {
    "created": MachineState.STOPPED,
    "exited": MachineState.STOPPED,
    "running": MachineState.RUNNING,
    "paused": MachineState.SUSPENDED,
    "restarting": MachineState.STARTING,
    "removing": MachineState.STOPPING,
}

_ASKED_FOR = (0, 129, 130, 137, 143)
"""Exit statuses of those who ended well, or by a signal that asks for the end."""


async def look(context: Context, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
    """By machine id, see :func:`core.providers.looking.look_by_place`."""
    return await look_by_place(
        plans,
        read=lambda plan: records.read(Layout.of(plan)),
        place=lambda plan, record: str(address_of(plan, record)),
        look=lambda _, group: _look_at(context, group),
    )


async def _look_at(context: Context, group: Sequence[tuple[MachinePlan, Record | None]]) -> dict[str, Seen]:
    for plan, _ in group:
        context.attention.to(plan)
    daemon = await context.of(*group[0])
    found = await _rows(daemon, group)
    by_machine: dict[str, list[Row]] = {}
    for row in found:
        by_machine.setdefault(row.machine, []).append(row)
    seen: dict[str, Seen] = {}
    for plan, record in group:
        subject = context.attention.to(plan)
        seen[plan.id] = judge(plan, record, by_machine.get(plan.id, ()), busy=subject.busy > 0)
        if subject.known is None and not subject.busy:
            subject.known = seen[plan.id].state
    return seen


async def _rows(daemon: Daemon, group: Sequence[tuple[MachinePlan, Record | None]]) -> list[Row]:
    plan, record = group[0]
    if len(group) > 1:
        return await containers.rows(daemon)
    if record is None:
        return await containers.rows(daemon, plan.id)
    row = await containers.row(daemon, plan.id, record.container)
    return [row] if row else []


def judge(plan: MachinePlan, record: Record | None, rows: Iterable[Row], *, busy: bool = False) -> Seen:
    """From the record and the containers, as they are. ``busy``: an action of ours is at work."""
    name = plan.key.name
    found = list(rows)
    if record is None:
        if busy or (not found and not Layout.of(plan).record.exists()):
            return Seen(state=MachineState.ABSENT)
        trouble = f"The machine's record is gone. boxwright destroy {name} removes the rest."
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    row = next((row for row in found if row.id == record.container), None)
    if row is None:
        trouble = f"Its container is gone: somebody else has removed it. boxwright destroy {name} clears up."
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    state = _STATES.get(row.state, MachineState.BROKEN)
    trouble = ""
    if state is MachineState.BROKEN:
        trouble = f"Docker calls its container {row.state}. boxwright destroy {name} removes it."
    elif row.state == "exited" and row.exit_status not in _ASKED_FOR:
        trouble = (
            f"Its command ended with status {row.exit_status}: boxwright serial --log shows what it said."
        )
    elif row.health == "unhealthy":
        trouble = "Its health check says that it is unhealthy."
    live = started(plan, record) if row.live else None
    return Seen(state=state, trouble=trouble, started=live)


def end_text(about: Mapping[str, Any]) -> str:
    """Why a container stopped that nobody here stopped, from its inspection; "" where it ended well."""
    state = about.get("State") or {}
    if state.get("OOMKilled"):
        return "It was killed, as it needed more memory than it may have: raise 'memory'."
    status = int(state.get("ExitCode", 0))
    if state.get("Error"):
        return f"Docker could not run it: {state['Error']}"
    if status == 137:
        return "It was killed by somebody else (docker kill, the daemon's end, or a lack of memory)."
    if status in (129, 130, 143):
        return "It was asked to end by somebody else (docker stop, or another program)."
    return f"Its command ended with status {status}." if status else ""
