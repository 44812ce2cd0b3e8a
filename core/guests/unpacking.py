"""Reading a tar archive that a guest sent: hostile until shown otherwise.

Nothing is made outside of the folder given. No link exists while files are written, so nothing is
written through one; at the end, links that lead out of the folder are left out.
"""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path
from typing import IO

from core.guests.archive import BLOCK, Advance
from core.guests.errors import TransferError

_ZEROS = bytes(65536)
_HEADER_LIMIT = 1024 * 1024
_DEPTH_LIMIT = 200
_LONG_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Member(tarfile.TarInfo):
    """A member whose long names and extended headers may not fill the memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size < 0 or (self.type in _LONG_HEADERS and self.size > _HEADER_LIMIT):
            raise refused("a header claims an impossible size")
        return super()._proc_member(tar)  # type: ignore[misc, no-any-return]


def refused(reason: str) -> TransferError:
    return TransferError(
        "The guest sent an archive that is not safe to unpack.",
        why=f"{reason[0].upper()}{reason[1:]}.",
        remedy="find out what is wrong in the guest before anything else is taken from it",
    )


def unpack(file: IO[bytes], folder: Path, advance: Advance) -> tuple[str, ...]:
    """Unpack what ``file`` gives into ``folder``, which is empty and ours alone.

    Returns the names that were left out: links that lead out of the folder, devices, pipes. Raises
    TransferError for an archive that is damaged or tries to leave the folder, and OSError of the disk.
    """
    unpacking = _Unpacking(folder, advance)
    try:
        with tarfile.open(fileobj=file, mode="r|", bufsize=BLOCK, tarinfo=_Member) as tar:
            for member in tar:
                unpacking.take(tar, member)
    except tarfile.TarError as error:
        raise TransferError("The guest sent a damaged archive.", why=f"{error}.") from error
    except (UnicodeError, OverflowError, ValueError, RecursionError) as error:
        raise refused("a header makes no sense") from error
    return unpacking.finish()


class _Unpacking:
    def __init__(self, folder: Path, advance: Advance) -> None:
        self._folder = folder
        self._advance = advance
        self._links: dict[Path, str] = {}
        self._folders: dict[Path, tarfile.TarInfo] = {}
        self._left_out: list[str] = []

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        target = self._place(member.name)
        if target == self._folder:
            if not member.isdir():
                raise refused("it puts something else in the folder's own place")
            self._folders[target] = member
            return
        self._make_parents(target)
        if member.isdir():
            if not target.is_dir():
                self._clear(target)
                target.mkdir(mode=0o700)
            self._folders[target] = member
        elif member.issym():
            self._clear(target)
            self._links[target] = member.linkname
        elif member.islnk():
            self._hard_link(target, member)
        elif member.isreg() and not member.issparse():
            self._clear(target)
            self._file(tar, member, target)
        else:
            self._left_out.append(member.name)

    def _place(self, name: str) -> Path:
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or "\0" in name:
            raise refused(f"its member {name[:120]!r} would leave the folder")
        if len(parts) > _DEPTH_LIMIT:
            raise refused(f"its member {name[:120]!r} lies too deep")
        return self._folder.joinpath(*parts)

    def _make_parents(self, target: Path) -> None:
        for parent in reversed(target.relative_to(self._folder).parents[:-1]):
            path = self._folder / parent
            if path in self._links or not path.is_dir():
                self._clear(path)
                path.mkdir(mode=0o700)

    def _clear(self, target: Path) -> None:
        """A later member of the same name replaces the earlier one; a folder is not replaced."""
        self._links.pop(target, None)
        if target.is_dir():
            raise refused(f"{target.name!r} is there as a folder and as something else")
        target.unlink(missing_ok=True)

    def _hard_link(self, target: Path, member: tarfile.TarInfo) -> None:
        first = self._place(member.linkname)
        if first in self._links:
            self._links[target] = self._links[first]
        elif first.is_file() and first != target:
            self._clear(target)
            os.link(first, target)
        else:
            self._left_out.append(member.name)

    def _file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        source = tar.extractfile(member)
        if source is None:
            raise refused(f"its member {member.name[:120]!r} has no contents")
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            left = member.size
            while left:
                data = source.read(min(len(_ZEROS), left))
                if not data:
                    raise TransferError("The guest sent a damaged archive.", why="It ends in a file.")
                write_sparse(file, data)
                left -= len(data)
                self._advance(len(data))
            file.truncate(member.size)
            os.fchmod(file.fileno(), member.mode & 0o777)
        _set_time(target, member)

    def finish(self) -> tuple[str, ...]:
        made = []
        for path, pointing in self._links.items():
            if pointing and "\0" not in pointing:
                path.symlink_to(pointing)
                made.append(path)
        self._drop_leaving(made)
        for path, member in sorted(self._folders.items(), reverse=True):
            path.chmod(member.mode & 0o777 | stat.S_IRWXU)
            _set_time(path, member)
        return tuple(self._left_out)

    def _drop_leaving(self, links: list[Path]) -> None:
        """Judged by where they really lead with all of them in place, as links may go through links."""
        top = self._folder.resolve()
        for path in links:
            if not _stays(path, top):
                self._left_out.append(str(path.relative_to(self._folder)))
        for name in self._left_out:
            path = self._folder / name
            if path.is_symlink():
                path.unlink()


def _stays(link: Path, top: Path) -> bool:
    if str(link.readlink()).startswith("/"):
        return False
    try:
        return link.resolve().is_relative_to(top)
    except (OSError, RuntimeError):
        return False  # links that go round in a circle


def _set_time(path: Path, member: tarfile.TarInfo) -> None:
    seconds = min(max(0, int(member.mtime)), 2**33)
    os.utime(path, (seconds, seconds))


def write_sparse(file: IO[bytes], data: bytes) -> None:
    """Write ``data``; blocks of zeros become holes. The file's size has to be set at the end."""
    for start in range(0, len(data), len(_ZEROS)):
        block = data[start : start + len(_ZEROS)]
        if block == _ZEROS[: len(block)]:
            file.seek(len(block), os.SEEK_CUR)
            continue
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]
