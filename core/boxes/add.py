"""Adding a box: found, fetched, unpacked while it arrives, verified, and only then there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from core.boxes import architecture as architectures
from core.boxes.archive import unpack
from core.boxes.checksum import ArchiveHash
from core.boxes.download import Download
from core.boxes.formats import QEMU_KINDS, BoxGuard, Provides, describe
from core.boxes.http import visible
from core.boxes.limits import Limits, limits
from core.boxes.manifest import Manifest
from core.boxes.partial import Partial, StartedAgain
from core.boxes.resolve import Resolved, is_remote, resolve
from core.boxes.staging import NoSpace, Staging, file_system_errors
from core.boxes.store import BoxStore, Linked, already_there
from core.boxes.streams import LocalFile, Source
from core.boxes.threads import Stop, in_thread
from core.errors import BoxwrightError, ProviderError, UsageError
from core.model.box import Box, BoxKey
from core.model.command import AddBox
from core.model.work import Work


class Wanted(msgspec.Struct, frozen=True):
    """Which box is acceptable."""

    providers: tuple[str, ...]
    """Most wanted first."""
    explicit: bool
    """The user named them."""
    architecture: str


class _OpenSource(Source, Protocol):
    def close(self) -> None: ...


async def add(
    store: BoxStore,
    command: AddBox,
    *,
    providers: Sequence[str],
    architecture: str = "",
    work: Work,
    linked: Linked | None = None,
) -> Box:
    """Add the box that ``command`` means.

    ``providers`` are those whose boxes can be used here, most wanted first; () for QEMU's.
    ``architecture`` is this machine's where it is "". ``linked`` says which machines use which box,
    for a box that is replaced.

    Raises UsageError, NotFoundError, ProviderError (a box for another provider) and BoxwrightError.
    Nothing is left of a box that could not be added, but for its download where that can be used again.
    """
    named = tuple(part.strip() for part in command.provider.split(",") if part.strip())
    wanted = Wanted(
        providers=named or tuple(providers) or QEMU_KINDS,
        explicit=bool(named),
        architecture=command.architecture or architecture or architectures.host(),
    )
    bounds = limits()
    with file_system_errors(store.folder):
        return await _add(store, command, wanted, bounds, work, linked)


async def _add(
    store: BoxStore, command: AddBox, wanted: Wanted, bounds: Limits, work: Work, linked: Linked | None
) -> Box:
    async with work.step("Resolve", detail=visible(command.source)) as step:
        resolved = await resolve(
            command,
            providers=wanted.providers,
            architecture=wanted.architecture,
            limits=bounds,
            known=is_remote(command.source) and Partial(store.downloads, command.source).path.exists(),
        )
        _check_free(store, command, resolved)
        step.note(f"{resolved.name} {resolved.version} at {visible(resolved.place)}")
    async with store.staging_folder(work) as staging:
        adding = _Adding(store, command, resolved, wanted, bounds, staging, linked)
        return await (adding.remote(work) if resolved.remote else adding.local(work))


def _check_free(store: BoxStore, command: AddBox, resolved: Resolved) -> None:
    """Where a catalogue says which box it is, a box that is there already need not be fetched."""
    key = BoxKey(resolved.name, resolved.version, resolved.provider, resolved.architecture)
    if resolved.provider and not command.force and store.records.path(key).exists():
        raise already_there(key)


class _Adding:
    """One box on its way into the store."""

    def __init__(
        self,
        store: BoxStore,
        command: AddBox,
        resolved: Resolved,
        wanted: Wanted,
        bounds: Limits,
        staging: Staging,
        linked: Linked | None,
    ) -> None:
        self._store = store
        self._command = command
        self._resolved = resolved
        self._wanted = wanted
        self._bounds = bounds
        self._staging = staging
        self._linked = linked
        self._hash = ArchiveHash(resolved.expected)
        self._useless = False
        """The archive itself is at fault: there is no use in keeping it."""

    async def local(self, work: Work) -> Box:
        """From a file of this computer."""
        path = Path(self._resolved.place)
        async with work.step("Download") as step:
            step.skipped("the archive is on this computer")
        await self._unpack(work, lambda stop: LocalFile(path), lambda: path.stat().st_size)
        return await self._publish(work)

    async def remote(self, work: Work) -> Box:
        """From an address: unpacked while it arrives. A download that is of no use any more is removed."""
        download = Download(
            self._store.downloads,
            self._resolved.place,
            limits=self._bounds,
            checked=self._resolved.expected is not None,
        )
        partial = download.partial
        partial.open()
        box: Box | None = None
        try:
            await self._fetch_and_unpack(work, download)
            box = await self._publish(work)
            return box
        except NoSpace as error:
            raise NoSpace(self._store.folder, error.needed, kept="What was downloaded is kept.") from error
        finally:
            partial.close(keep=box is None and not self._useless)

    async def _fetch_and_unpack(self, work: Work, download: Download) -> None:
        partial = download.partial

        async def fetch() -> None:
            async with work.step("Download", detail=visible(download.url)) as step:
                await download.run(step)

        getting = asyncio.create_task(fetch())
        unpacking = asyncio.create_task(self._unpack(work, partial.reader, lambda: partial.state.total))
        tasks = (getting, unpacking)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _unpack(
        self, work: Work, opened: Callable[[Stop], _OpenSource], total: Callable[[], int | None]
    ) -> None:
        async with work.step("Unpack") as step:
            stop = Stop()
            while True:
                try:
                    await in_thread(lambda: self._unpack_once(step, opened(stop), total, stop), stop)
                except StartedAgain:
                    step.note("the server has another file now: unpacking it from the beginning")
                except BoxwrightError as error:
                    self._useless = not isinstance(error, NoSpace)
                    raise
                else:
                    return

    def _unpack_once(
        self, step: Work, source: _OpenSource, total: Callable[[], int | None], stop: Stop
    ) -> None:
        """In a thread."""
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            step.progress(done, total(), "bytes")

        self._staging.clear()
        self._hash = ArchiveHash(self._resolved.expected)
        try:
            unpack(
                source,
                self._staging,
                guard=BoxGuard(self._staging, self._bounds),
                limits=self._bounds,
                archive_hash=self._hash,
                advance=advance,
                stop=stop,
            )
        finally:
            source.close()

    async def _publish(self, work: Work) -> Box:
        async with work.step("Verify"):
            try:
                return await in_thread(self._check_and_publish, Stop())
            except BoxwrightError as error:
                self._useless = not isinstance(error, NoSpace | ProviderError)
                raise

    def _check_and_publish(self) -> Box:
        """In a thread: checksum, format and key, then the box comes into being."""
        resolved = self._resolved
        self._hash.check(visible(resolved.place))
        provides = describe(
            self._staging, self._wanted.providers, self._bounds, explicit=self._wanted.explicit
        )
        record = Manifest(
            key=self._key(provides),
            files=self._staging.all_files(),
            disks=provides.disks,
            added=time.time(),
            url=visible(resolved.place),
            catalogue=resolved.catalogue,
            checksum=self._hash.sha256,
            description=resolved.description or provides.description,
            fingerprint=provides.fingerprint,
            firmware=provides.firmware,
            user=provides.user,
            identity=provides.identity,
            metadata=provides.metadata,
        )
        return self._store.publish(
            record, self._staging.contents(), replace=self._command.force, linked=self._linked
        )

    def _key(self, provides: Provides) -> BoxKey:
        resolved = self._resolved
        inside = architectures.canonical(provides.architecture)
        asked = self._command.architecture
        if asked and not architectures.agree(inside, asked):
            raise UsageError(
                f"The box is for {inside}, not for {asked}.", remedy=f"add it with --architecture {inside}"
            )
        return BoxKey(resolved.name, resolved.version, provides.provider, resolved.architecture or inside)
