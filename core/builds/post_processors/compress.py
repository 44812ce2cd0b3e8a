"""Compresses an artifact's files: each by itself where it is one, into an archive where there are several."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from core.builds.artifact import Artifact, Outcome
from core.builds.output import claim, refuse_existing
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.builds.tools import LZ4, need
from core.errors import ConfigError
from core.model.work import Work
from core.templates.model import Settings

_PACKERS = ("gz", "zst", "xz", "lz4")
_BLOCK = 1 << 20


class CompressSettings(Table, frozen=True, kw_only=True):
    output: str = "packer_{{.BuildName}}_{{.BuilderType}}"
    format: str = ""
    """Without one the end of ``output`` says it; "tar.gz" otherwise."""
    compression_level: int = -1


class CompressPostProcessor:
    kind: ClassVar[str] = "compress"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        _ways(_target_name(given, scene), given.format)
        if _packer(given, scene) == "lz4":
            need(LZ4)

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        refuse_existing(scene.path(_target_name(_read(settings), scene)), force=scene.force)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        name = _target_name(given, scene)
        archive, packer = _ways(name, given.format)
        target = scene.path(name)
        files = [Path(file) for file in artifact.files]
        if not files:
            raise ConfigError(
                "There is nothing to compress.", why=f"The artifact {artifact.id} has no files here."
            )
        if not archive and len(files) != 1:
            raise ConfigError(
                f"{target.name} can hold one file, and the artifact has {len(files)}.",
                remedy=f'output = "{name.removesuffix(packer)}tar.{packer}"',
            )
        async with claim(target, scene, work) as beside:
            await asyncio.to_thread(_write, beside, files, archive, packer, given.compression_level)
        made = Artifact(
            maker="packer.post-processor.compress", files=(str(target),), text=str(target), id=artifact.id
        )
        return Outcome(artifact=made)


def _read(settings: Settings) -> CompressSettings:
    return decode(settings, CompressSettings, 'post-processor "compress"')


def _target_name(given: CompressSettings, scene: Scene) -> str:
    name = scene.render(given.output, BuildName=scene.source, BuilderType=scene.kind)
    if not given.format and not Path(name).suffix:
        name += ".tar.gz"
    return name


def _packer(given: CompressSettings, scene: Scene) -> str:
    return _ways(_target_name(given, scene), given.format)[1]


def _ways(name: str, format: str) -> tuple[str, str]:
    """The archive ("tar", "zip" or "") and the compression ("gz", ... or ""). Raises ConfigError."""
    ends = (format or name).lower().rsplit("/", 1)[-1].split(".")
    last = {"tgz": "gz", "zstd": "zst"}.get(ends[-1], ends[-1])
    if last in ("tar", "zip"):
        return last, ""
    if last in _PACKERS:
        tarred = ends[-1] == "tgz" or (len(ends) > 1 and ends[-2] == "tar")
        return "tar" if tarred else "", last
    raise ConfigError(
        f"{format or name!r} names no compression that is known.",
        why=f"There is {', '.join((*_PACKERS, 'tar', 'zip'))}, and tar with each of the others: tar.gz.",
    )


def _write(target: Path, files: list[Path], archive: str, packer: str, level: int) -> None:
    if archive == "zip":
        with zipfile.ZipFile(
            target, "w", zipfile.ZIP_DEFLATED, compresslevel=level if level >= 0 else None
        ) as to:
            for file in files:
                to.write(file, file.name)
        return
    with _packed(target, packer, level) as stream:
        if not archive:
            _copy(files[0], stream)
            return
        with cast(Any, tarfile).open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for file in files:
                tar.add(file, arcname=file.name)


def _copy(source: Path, stream: IO[bytes]) -> None:
    with source.open("rb") as file:
        while block := file.read(_BLOCK):
            stream.write(block)


@contextlib.contextmanager
def _packed(target: Path, packer: str, level: int) -> Iterator[IO[bytes]]:
    with target.open("wb") as raw:
        if packer == "gz":
            with gzip.GzipFile(
                fileobj=raw, mode="wb", compresslevel=level if level >= 0 else 6, mtime=0
            ) as gz:
                yield cast(IO[bytes], gz)
        elif packer == "zst":
            import zstandard

            writer = zstandard.ZstdCompressor(level=level if level >= 0 else 3, threads=-1)
            with writer.stream_writer(raw, closefd=False) as zst:
                yield cast(IO[bytes], zst)
        elif packer == "xz":
            with lzma.LZMAFile(raw, "wb", preset=level if level >= 0 else None) as xz:
                yield cast(IO[bytes], xz)
        elif packer == "lz4":
            with _lz4(raw, level) as lz4:
                yield lz4
        else:
            yield raw


@contextlib.contextmanager
def _lz4(raw: IO[bytes], level: int) -> Iterator[IO[bytes]]:
    """By the system's own program: no library of Python's comes with it."""
    import subprocess

    option = [f"-{level}"] if level > 0 else []
    with subprocess.Popen([need(LZ4), "-q", *option, "-", "-"], stdin=subprocess.PIPE, stdout=raw) as process:
        assert process.stdin is not None
        yield process.stdin
        process.stdin.close()
    if process.returncode:
        raise OSError(f"lz4 ended with exit status {process.returncode}")
