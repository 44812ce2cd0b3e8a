"""Commands in a guest that QEMU runs, by OpenSSH: none of our own code stands between."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import msgspec

from core.guests.keys import insecure_keys
from tests.support.tiny import Booted


class Said(msgspec.Struct, frozen=True):
    status: int
    out: str
    err: str


async def ssh(booted: Booted, folder: Path, command: str, *, key: int = 0, patience: float = 180) -> Said:
    """Run a command as the user vagrant with one of the well-known keys; waits for the guest at first."""
    identity = insecure_keys(folder)[key]
    options = [
        *("-p", str(booted.port), "-i", str(identity), "-F", "none"),
        *("-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=8"),
        *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder / 'known_hosts'}"),
        *("-o", "LogLevel=ERROR"),
    ]
    async with asyncio.timeout(patience):
        while True:
            process = await asyncio.create_subprocess_exec(
                "ssh", *options, "vagrant@127.0.0.1", command,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            out, err = await process.communicate()
            if process.returncode != 255:
                return Said(process.returncode or 0, out.decode(), err.decode())
            await asyncio.sleep(0.1)


def host_key(booted: Booted, folder: Path) -> str:
    """The public host key that the guest showed to ``ssh``: kind and key."""
    sign = f"[127.0.0.1]:{booted.port} "
    lines = (folder / "known_hosts").read_text().splitlines()
    return next(line.removeprefix(sign).strip() for line in lines if line.startswith(sign))


async def power_button(booted: Booted) -> None:
    """Press it, by QEMU's monitor."""
    reader, writer = await asyncio.open_unix_connection(str(booted.monitor))
    try:
        for command in ("qmp_capabilities", "system_powerdown"):
            writer.write(json.dumps({"execute": command}).encode() + b"\n")
            async with asyncio.timeout(30):
                while b'"return"' not in await reader.readline():
                    pass
    finally:
        writer.close()


async def until_off(booted: Booted, patience: float = 120) -> None:
    """Wait for the end of QEMU's process."""
    async with asyncio.timeout(patience):
        await booted.ended.wait()
