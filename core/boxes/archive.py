"""Archives, unpacked into a staging folder in one pass. They are hostile until shown otherwise."""

from __future__ import annotations

from collections.abc import Callable

from core.boxes.checksum import ArchiveHash
from core.boxes.contents import Contents, Guard, HostileArchive, safe_name, shown
from core.boxes.decompress import DamagedArchive
from core.boxes.hashing import BLOCK
from core.boxes.limits import Limits
from core.boxes.staging import NoSpace, Sink, Staging, is_full
from core.boxes.streams import Pipeline, Source, kind_of
from core.boxes.tar_stream import TarEntry, TarStream
from core.boxes.threads import Stop


def unpack(
    source: Source,
    staging: Staging,
    *,
    guard: Guard,
    limits: Limits,
    archive_hash: ArchiveHash,
    advance: Callable[[int], None],
    stop: Stop,
) -> None:
    """Unpack the archive into ``staging``; to be called in a thread.

    ``advance`` is told of every stretch of the archive's own bytes, from a thread; ``stop`` ends the
    work between two blocks. Raises DamagedArchive, HostileArchive and NoSpace. The checksum in
    ``archive_hash`` is complete afterwards; comparing it is up to the caller.
    """
    start = _start(source)
    kind = kind_of(start)
    contents = Contents(staging, guard, limits)
    if kind in ("", "html", "json"):
        raise _not_a_box(kind)
    try:
        if kind == "zip":
            _unpack_zip(source, contents, limits, archive_hash, advance, stop)
        else:
            _unpack_stream(start, source, contents, limits, archive_hash, advance, stop)
    except OSError as error:
        if is_full(error):
            raise NoSpace(staging.folder.parent, contents.bytes) from error
        raise
    contents.resolve_links()


def _unpack_stream(
    start: bytes,
    source: Source,
    contents: Contents,
    limits: Limits,
    archive_hash: ArchiveHash,
    advance: Callable[[int], None],
    stop: Stop,
) -> None:
    pipeline = Pipeline(start, source, archive_hash, advance, Stop(stop))
    try:
        _untar(TarStream(pipeline, limits), contents)
        pipeline.drain()
    finally:
        pipeline.close()


def _unpack_zip(
    source: Source,
    contents: Contents,
    limits: Limits,
    archive_hash: ArchiveHash,
    advance: Callable[[int], None],
    stop: Stop,
) -> None:
    from core.boxes.zips import unzip

    path = source.whole()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            stop.check()
            archive_hash.update(block)
            advance(len(block))
    unzip(path, contents, limits, stop)


def _start(source: Source) -> bytes:
    """Enough of the beginning to tell what it is."""
    start = b""
    while len(start) < 512 and (block := source.read(BLOCK)):
        start += block
    return start


def _not_a_box(kind: str) -> DamagedArchive:
    said = {
        "": "It is none of tar, tar.gz, tar.xz, tar.zst, tar.bz2 and zip.",
        "html": "It is a web page.",
        "json": "It is a JSON document.",
    }
    return DamagedArchive(
        "This is not a box.",
        why=said[kind],
        remedy="give the address of the .box file itself, or of a catalogue",
    )


def _untar(tar: TarStream, contents: Contents) -> None:
    for entry in tar:
        contents.count()
        if entry.is_folder:
            continue
        name = safe_name(entry.name)
        if entry.is_link:
            contents.link(name, entry.link)
        elif entry.is_file:
            with contents.sink(name, entry.size) as sink:
                _copy(tar, entry, sink)
                contents.finish(name, sink)
        else:
            raise HostileArchive(
                f"The archive holds a {entry.kind}, {shown(name)}.",
                why="A box consists of files; nothing else is unpacked.",
            )


def _copy(tar: TarStream, entry: TarEntry, sink: Sink) -> None:
    """Copy the content; between the stretches of a sparse file there are holes."""
    position = 0
    for offset, length in entry.stretches():
        tar.punch(sink, offset - position)
        tar.copy(sink, length)
        position = offset + length
    tar.punch(sink, entry.size - position)
