"""Upload and download."""

from __future__ import annotations

from pathlib import Path

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.model import command as commands
from core.model.work import Work


async def upload(context: Context, command: commands.Upload, work: Work) -> None:
    guest = await guests.reach(context, context.machines.require(command.machine))
    async with work.step(f"Upload {command.source}", detail=command.target) as step:
        await guest.upload(
            Path(command.source),
            command.target,
            transfer=lambda done, total: step.progress(done, total, "bytes"),
        )


async def download(context: Context, command: commands.Download, work: Work) -> None:
    guest = await guests.reach(context, context.machines.require(command.machine))
    async with work.step(f"Download {command.source}", detail=command.target) as step:
        left_out = await guest.download(
            command.source,
            Path(command.target),
            transfer=lambda done, total: step.progress(done, total, "bytes"),
        )
        if left_out:
            step.note(f"left out as unsafe: {', '.join(left_out)}")
