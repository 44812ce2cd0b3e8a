"""Folders that a guest gets a copy of."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import NotFoundError, UsageError
from core.guests.errors import TransferError
from core.guests.folders import copy_folders
from core.guests.hostname import check_hostname
from core.guests.ssh import SshGuest
from core.model.project import Folder
from tests.support.work import RecordingWork


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "site" / ".git").mkdir(parents=True)
    (root / "site" / "index.html").write_text("<p>")
    (root / "site" / ".git" / "config").write_text("")
    (root / "data").mkdir()
    (root / "data" / "rows").write_bytes(bytes(1_000_000))
    return root


async def test_each_folder_is_a_step_with_progress(guest: SshGuest, project: Path, tmp_path: Path) -> None:
    work = RecordingWork()
    folders = (
        Folder(host="site", guest=f"{tmp_path}/srv/site", exclude=(".git",)),
        Folder(host="data", guest=f"{tmp_path}/data/"),
    )
    await copy_folders(guest, project, folders, work=work)
    assert work.states == {
        f"Folder site → {tmp_path}/srv/site": "done",
        f"Folder data → {tmp_path}/data/": "done",
    }
    assert [path.name for path in (tmp_path / "srv" / "site").iterdir()] == ["index.html"]
    assert (tmp_path / "data" / "rows").stat().st_size == 1_000_000
    assert work.progresses[-1] == (1_000_000, 1_000_000, "bytes")


async def test_a_second_copy_brings_changes_and_removes_nothing(
    guest: SshGuest, project: Path, tmp_path: Path
) -> None:
    folders = (Folder(host="site", guest=f"{tmp_path}/site"),)
    await copy_folders(guest, project, folders, work=RecordingWork())
    (tmp_path / "site" / "made-in-the-guest").write_text("")
    (project / "site" / "index.html").write_text("<b>")
    await copy_folders(guest, project, folders, work=RecordingWork())
    assert (tmp_path / "site" / "index.html").read_text() == "<b>"
    assert (tmp_path / "site" / "made-in-the-guest").exists()


async def test_a_missing_folder_is_said_before_any_is_copied(
    guest: SshGuest, project: Path, tmp_path: Path
) -> None:
    folders = (
        Folder(host="site", guest=f"{tmp_path}/site"),
        Folder(host="absent", guest=f"{tmp_path}/absent"),
    )
    with pytest.raises(NotFoundError, match="absent"):
        await copy_folders(guest, project, folders, work=RecordingWork())
    assert not (tmp_path / "site").exists()


async def test_a_place_where_nothing_can_be_made_is_named(guest: SshGuest, project: Path) -> None:
    with pytest.raises(TransferError, match="/proc/nowhere"):
        await copy_folders(
            guest, project, (Folder(host="site", guest="/proc/nowhere/x"),), work=RecordingWork()
        )


@pytest.mark.parametrize("name", ["web", "web-1", "a", "web.example.org", "1a"])
def test_names_of_hosts(name: str) -> None:
    check_hostname(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a b", "ä", "a..b", "a" * 64, "x\n", "$(reboot)"])
def test_what_is_no_name_of_a_host(name: str) -> None:
    with pytest.raises(UsageError, match="name of a host"):
        check_hostname(name)
