"""Moving machines that run."""

from __future__ import annotations

from core.engine.context import Context
from core.engine.handlers.looking import looked_at
from core.engine.handlers.running import mark_running
from core.errors import ProviderError
from core.model import command as commands
from core.model.machine import MachineState
from core.model.work import Work
from core.providers.base import Migrating


async def migrate(context: Context, command: commands.Migrate, work: Work) -> None:
    record = await looked_at(context, command.machine)
    if record.state is not MachineState.RUNNING:
        raise ProviderError(
            f"The machine {record.key.name} does not run.", remedy=f"boxwright up {record.key.name}"
        )
    provider = context.provider(record.provider)
    if not isinstance(provider, Migrating):
        raise ProviderError(f"The provider {record.provider} cannot move machines.")
    async with work.step("Move", detail=command.target) as step:
        started = await provider.migrate(record.plan, command.target, step)
    mark_running(context, record.key, started)
