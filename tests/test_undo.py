"""Removing what was made: whatever it is, as often as one likes, and nothing beside it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.undo import SHARED, remove


def as_ordinary_user(action: Callable[[], None]) -> None:
    """Do it without root's power over permissions; what it raises fails the test."""
    if os.geteuid() != 0:
        action()
        return
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setuid(65534)
            action()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_files_links_and_folders_go(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    link = tmp_path / "link"
    link.symlink_to(target)
    remove(link)
    assert (target / "kept").exists()
    remove(target)
    assert not target.exists()
    remove(target)


def test_folders_without_write_permission_go_and_what_is_around_them_is_left_alone() -> None:
    with tempfile.TemporaryDirectory() as name:
        around = Path(name)
        around.chmod(0o777)

        def unpack_and_remove() -> None:
            tree = around / "tree"
            deep = tree / "a" / "b"
            deep.mkdir(parents=True)
            (deep / "file").touch()
            for folder in (deep, tree / "a", tree):
                folder.chmod(0o555 if folder != deep else 0)
            remove(tree)
            assert not tree.exists()

        as_ordinary_user(unpack_and_remove)
        assert list(around.iterdir()) == []
        assert around.stat().st_mode & 0o777 == 0o777


async def test_the_shared_undo_is_idempotent(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    for _ in range(2):
        await SHARED["path"]({"path": str(path)})
    assert not path.exists()


def test_what_may_not_be_removed_is_said() -> None:
    with tempfile.TemporaryDirectory() as name:
        around = Path(name)
        tree = around / "tree"
        tree.mkdir()
        (tree / "file").touch()
        tree.chmod(0o777)
        around.chmod(0o555)

        def refused() -> None:
            with pytest.raises(PermissionError):
                remove(tree)

        if os.geteuid() == 0:
            as_ordinary_user(refused)
        around.chmod(0o755)
