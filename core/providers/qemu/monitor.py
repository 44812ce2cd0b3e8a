"""A conversation with a running QEMU over its control socket (QMP)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ProviderError

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

NextEvent = Callable[[], Awaitable[tuple[str, dict[str, Any]] | None]]


class MonitorError(ProviderError):
    """QEMU refused a command, or cannot be talked to."""


class Monitor:
    """One connection. QEMU serves one at a time: whoever else connects waits until this one is closed."""

    def __init__(self, client: QMPClient) -> None:
        self._client = client
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, socket: Path, timeout: float) -> Monitor:
        """Raises MonitorError where nobody answers within ``timeout`` seconds."""
        from qemu.qmp import QMPClient, QMPError

        # What goes wrong is raised; the library's own log would say it a second time.
        logging.getLogger("qemu.qmp").propagate = False
        client = QMPClient()
        try:
            await asyncio.wait_for(client.connect(str(socket)), timeout)
        except TimeoutError:
            raise MonitorError(
                "QEMU does not answer on its control socket.",
                why=f"{socket}: busy for {timeout:g} s, or another program is connected to it.",
            ) from None
        except (QMPError, OSError) as error:
            raise MonitorError("QEMU's control socket cannot be used.", why=f"{socket}: {error}") from error
        return cls(client)

    async def execute(
        self, command: str, arguments: dict[str, Any] | None = None, *, timeout: float | None = 30.0
    ) -> Any:
        """The answer to ``command``; raises MonitorError with QEMU's own words, or when it is silent."""
        from qemu.qmp import ExecuteError, QMPError

        try:
            return await asyncio.wait_for(self._client.execute(command, arguments), timeout)
        except ExecuteError as error:
            raise MonitorError(f"QEMU refused {command}.", why=str(error)) from error
        except TimeoutError:
            raise MonitorError(f"QEMU did not answer {command} within {timeout:g} s.") from None
        except (QMPError, OSError, EOFError) as error:
            raise MonitorError(f"QEMU ended during {command}.", why=str(error)) from error

    async def send_file(self, name: str, descriptor: int) -> None:
        """Give QEMU an open file, to be used as ``fd:<name>``."""
        self._client.send_fd_scm(descriptor)
        await self.execute("getfd", {"fdname": name})

    @contextlib.contextmanager
    def listening(self, *names: str) -> Iterator[NextEvent]:
        """Within the block: a function that waits for the next event of these names; none is missed.

        It returns the event's name and data, or None when the connection has ended.
        """
        with self._client.listener(names) as listener:

            async def following() -> tuple[str, dict[str, Any]] | None:
                event = asyncio.ensure_future(listener.get())
                closed = asyncio.ensure_future(self.closed())
                try:
                    await asyncio.wait({event, closed}, return_when=asyncio.FIRST_COMPLETED)
                    if not event.done():
                        return None
                    message = event.result()
                    data = message.get("data", {})
                    return str(message["event"]), data if isinstance(data, dict) else {}
                finally:
                    event.cancel()
                    closed.cancel()

            yield following

    async def job(self, command: str, job: str, arguments: dict[str, Any]) -> None:
        """Run a command that works in the background, to its end; raises MonitorError when it fails."""
        await self.jobs(command, {"job-id": job, **arguments}, [job])

    async def jobs(self, command: str, arguments: dict[str, Any], jobs: Sequence[str]) -> None:
        """The same for a command that begins several."""
        with self.listening("JOB_STATUS_CHANGE") as following:
            await self.execute(command, arguments, timeout=None)
            await self._concluded(set(jobs), following, command)
        failed = [error for job in jobs if (error := await self._dismiss(job))]
        if failed:
            raise MonitorError(f"QEMU's {command} failed.", why=failed[0])

    async def _concluded(self, jobs: set[str], following: NextEvent, command: str) -> None:
        while jobs:
            event = await following()
            if event is None:
                raise MonitorError(f"QEMU ended during {command}.")
            if event[1].get("status") == "concluded":
                jobs.discard(str(event[1].get("id")))

    async def _dismiss(self, job: str) -> str:
        """Forget a job that has ended; why it failed, "" where it did not."""
        known = await self.execute("query-jobs")
        await self.execute("job-dismiss", {"id": job})
        return next((str(entry["error"]) for entry in known if entry["id"] == job and entry.get("error")), "")

    async def end_job(self, job: str) -> None:
        """Cancel a job and forget it; one that is not there is no error."""
        with self.listening("JOB_STATUS_CHANGE") as following:
            states = {entry["id"]: entry["status"] for entry in await self.execute("query-jobs")}
            if job not in states:
                return
            if states[job] != "concluded":
                with contextlib.suppress(MonitorError):  # It may have ended in this instant.
                    await self.execute("job-cancel", {"id": job})
                await self._concluded({job}, following, "job-cancel")
        await self._dismiss(job)

    async def closed(self) -> None:
        """Returns when the connection has ended, from either side."""
        from qemu.qmp import Runstate

        while self._client.runstate is Runstate.RUNNING:
            await self._client.runstate_changed()

    async def close(self) -> None:
        """Let go of the connection; QEMU runs on."""
        # Once only, and to its end: the library leaves tasks behind when this is cancelled half-way.
        if self._closing is None:
            self._closing = asyncio.create_task(self._disconnect())
        await asyncio.shield(self._closing)

    async def _disconnect(self) -> None:
        with contextlib.suppress(Exception):
            await self._client.disconnect()
