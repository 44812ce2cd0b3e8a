"""The image that a source starts from: found, fetched, compared with its checksum."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from core.boxes import checksum as checksums
from core.boxes.checksum import Checksum, ChecksumError
from core.boxes.http import visible
from core.builds.qemu.settings import QemuSettings
from core.builds.scene import Scene
from core.errors import BoxwrightError, NotFoundError
from core.model.work import Work

_BLOCK = 8 << 20


class _Seen(msgspec.Struct, frozen=True):
    """A file whose digest is known for as long as this is the same."""

    path: str
    size: int
    changed: int
    digest: str


def local_path(url: str, scene: Scene) -> Path | None:
    """The file that a URL means, None where it has to be fetched."""
    if url.startswith("file://"):
        return Path(unquote(urlsplit(url).path))
    return None if "://" in url else scene.path(url)


def identity(settings: QemuSettings, scene: Scene) -> str:
    """What tells this image from others, without fetching anything."""
    for url in settings.urls:
        path = local_path(url, scene)
        if path is not None and path.is_file():
            status = path.stat()
            return f"{path} {status.st_size} {status.st_mtime_ns}"
    if settings.iso_checksum not in ("", "none") and not settings.iso_checksum.startswith("file:"):
        return settings.iso_checksum
    return " ".join(settings.urls)


async def image(settings: QemuSettings, scene: Scene, work: Work) -> Path:
    """The image, verified. Each address is tried in turn.

    Raises NotFoundError, ChecksumError, and what fetching raises.
    """
    expected = await _expected(settings, scene)
    problems: list[BoxwrightError] = []
    for url in settings.urls:
        async with work.step("Image", detail=visible(url)) as step:
            try:
                return await _one(url, expected, scene, step)
            except ChecksumError:
                raise
            except BoxwrightError as error:
                problems.append(error)
                if url is settings.urls[-1]:
                    raise
                step.skipped(error.problem.what)
    raise problems[-1]


async def _expected(settings: QemuSettings, scene: Scene) -> Checksum | None:
    text = settings.iso_checksum
    if text in ("", "none"):
        return None
    if text.startswith("file:"):
        return checksums.parse(await _listed(text.removeprefix("file:"), settings, scene))
    if settings.iso_checksum_type and ":" not in text:
        text = f"{settings.iso_checksum_type}:{text}"
    return checksums.parse(text)


async def _listed(url: str, settings: QemuSettings, scene: Scene) -> str:
    """The checksum of the image in a list like ``SHA256SUMS``."""
    path = local_path(url, scene)
    if path is not None:
        if not path.is_file():
            raise NotFoundError(f"There is no list of checksums {path}.")
        text = path.read_text("utf-8", "replace")
    else:
        from core.boxes.http import fetch

        text = (await fetch(url, limit=16 << 20)).data.decode("utf-8", "replace")
    name = urlsplit(settings.urls[0]).path.rsplit("/", 1)[-1]
    lines = [line.split() for line in text.splitlines() if line.strip()]
    for words in lines:
        if words[-1].lstrip("*").rsplit("/", 1)[-1] == name:
            return words[0]
    if len(lines) == 1:
        return lines[0][0]
    raise NotFoundError(f"The list of checksums {visible(url)} does not name {name}.")


async def _one(url: str, expected: Checksum | None, scene: Scene, work: Work) -> Path:
    path = local_path(url, scene)
    if path is not None:
        if not path.is_file():
            raise NotFoundError(f"There is no image {path}.", remedy=f"ls -l {path.parent}")
        if expected is not None:
            await asyncio.to_thread(_verify, path, expected, scene, work.progress)
        return path
    return await _fetched(url, expected, scene, work)


def _verify(path: Path, expected: Checksum, scene: Scene, progress: Callable[..., None]) -> None:
    """In a thread. A file that did not change since is not read again."""
    status = path.stat()
    name = hashlib.sha256(f"{expected.algorithm}\0{path}".encode()).hexdigest()[:32]
    memory = scene.locations.downloads / f"{name}.seen"
    digest = ""
    try:
        seen = msgspec.json.decode(memory.read_bytes(), type=_Seen)
        if (seen.path, seen.size, seen.changed) == (str(path), status.st_size, status.st_mtime_ns):
            digest = seen.digest
    except (OSError, msgspec.MsgspecError):
        pass
    if not digest:
        digest = _digest(path, expected.algorithm, status.st_size, progress)
        memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        memory.write_bytes(msgspec.json.encode(_Seen(str(path), status.st_size, status.st_mtime_ns, digest)))
    if digest != expected.digest:
        raise ChecksumError(
            f"The checksum of {path} does not match.",
            why=f"Expected is {expected}; the file has {expected.algorithm}:{digest}.",
            remedy="get the image once more, or correct iso_checksum",
        )


def _digest(path: Path, algorithm: str, total: int, progress: Callable[..., None]) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    done = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(done, total, "bytes")
    return digest.hexdigest()


async def _fetched(url: str, expected: Checksum | None, scene: Scene, work: Work) -> Path:
    """From the cache, else downloaded into it; a download that was cut goes on where it was."""
    from core.boxes.download import Download
    from core.boxes.limits import limits

    folder = scene.locations.downloads
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = hashlib.sha256(f"{expected or url}".encode()).hexdigest()[:32]
    target = folder / f"{name}{Path(urlsplit(url).path).suffix}"
    if target.is_file():
        if expected is not None:
            await asyncio.to_thread(_verify, target, expected, scene, work.progress)
        work.cached("fetched before")
        return target
    download = Download(folder, url, limits=limits(), checked=expected is not None)
    partial = download.partial
    partial.open()
    complete = False
    try:
        await download.run(work)
        if expected is not None:
            try:
                await asyncio.to_thread(_verify, partial.path, expected, scene, work.progress)
            except ChecksumError:
                complete = True
                raise
        target.hardlink_to(partial.path)
        complete = True
    finally:
        partial.close(keep=not complete)
    return target
