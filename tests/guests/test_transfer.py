"""Uploads and downloads through a real SSH server, with the tar and shell of this machine."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import NotFoundError
from core.guests.errors import GuestFileMissingError, TransferError
from core.guests.ssh import SshGuest
from tests.support.sshd import Sshd


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def tree(folder: Path) -> dict[str, bytes | str]:
    """Contents by relative path; links as their targets, folders as "/"."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = "/" if path.is_dir() else path.read_bytes()
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "sub" / "secret").write_bytes(os.urandom(200_000))
    (folder / "sub" / "secret").chmod(0o600)
    (folder / "sub" / "ünï 'x' $y\n").write_bytes(b"odd")
    (folder / "link").symlink_to("sub/secret")
    (folder / "-rf").write_bytes(b"dash")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "big").write_bytes(b"x")
    return folder


async def test_a_file_arrives_with_its_mode_and_missing_parents(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a b" / "c" / "run"
    seen: list[tuple[int, int | None]] = []
    await guest.upload(
        source / "run.sh", str(target), transfer=lambda done, total: seen.append((done, total))
    )
    assert target.read_bytes() == b"#!/bin/sh\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    assert seen[-1] == (10, 10)
    await guest.upload(source / "run.sh", str(target), mode=0o640)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(target.parent) == ["run"]


async def test_where_a_file_goes(guest: SshGuest, source: Path, sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    await guest.upload(source / "-rf", str(tmp_path / "there"))
    await guest.upload(source / "run.sh", f"{tmp_path}/new/")
    await guest.upload(source / "run.sh", "~/in home")
    assert (tmp_path / "there" / "-rf").read_bytes() == b"dash"
    assert (tmp_path / "new" / "run.sh").exists()
    assert (sshd.home / "in home").exists()


async def test_a_folder_arrives_whole_and_comes_back_the_same(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    await guest.upload(source, str(tmp_path / "x" / "target"))
    assert tree(tmp_path / "x" / "target") == tree(source)
    assert stat.S_IMODE((tmp_path / "x/target/sub/secret").stat().st_mode) == 0o600
    assert names(tmp_path / "x") == ["target"]
    assert await guest.download(str(tmp_path / "x" / "target"), tmp_path / "back") == ()
    assert tree(tmp_path / "back") == tree(source)
    assert stat.S_IMODE((tmp_path / "back/run.sh").stat().st_mode) == 0o755


async def test_a_folder_that_is_there_gets_the_new_files_beside_its_own(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "own").write_bytes(b"own")
    (target / "run.sh").write_bytes(b"old")
    await guest.upload(source, str(target))
    assert tree(target) == {**tree(source), "own": b"own"}
    await guest.upload(source, f"{target}/")
    assert tree(target / "source") == tree(source)


async def test_what_is_excluded_stays_here(guest: SshGuest, source: Path, tmp_path: Path) -> None:
    await guest.upload(source, str(tmp_path / "t"), exclude=["node_modules/", "*.sh", "sub/s*"])
    left = {"sub", "sub/empty", "sub/ünï 'x' $y\n", "link", "-rf"}
    assert set(tree(tmp_path / "t")) == left


async def test_modes_for_all_files_of_a_folder(guest: SshGuest, source: Path, tmp_path: Path) -> None:
    await guest.upload(source, str(tmp_path / "t"), mode=0o640)
    modes = {
        stat.S_IMODE(path.lstat().st_mode)
        for path in (tmp_path / "t").rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert modes == {0o640}


async def test_sockets_and_pipes_are_not_sent(guest: SshGuest, source: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "pipe")
    await guest.upload(source, str(tmp_path / "t"))
    assert not (tmp_path / "t" / "pipe").exists()


async def test_holes_cost_nothing_on_the_way_and_on_the_disk(guest: SshGuest, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(200_000_000)
        file.seek(100_000_001)
        file.write(b"data")
    await guest.upload(sparse, str(tmp_path / "up"))
    await guest.download(str(sparse), tmp_path / "down")
    for copy in (tmp_path / "up", tmp_path / "down"):
        assert copy.stat().st_size == 200_000_000
        assert copy.stat().st_blocks * 512 < 50_000_000
        with copy.open("rb") as file:
            file.seek(100_000_000)
            assert file.read(6) == b"\0data\0"


async def test_an_existing_file_is_replaced_in_one_step(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        await guest.upload(source / "run.sh", str(target))
        assert reader.read() == b"old"
    with target.open("rb") as reader:
        await guest.download(str(source / "-rf"), target)
        assert reader.read() == b"#!/bin/sh\n"
    assert target.read_bytes() == b"dash"


async def test_downloading_into_a_folder_keeps_the_name(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    await guest.download(str(source / "run.sh"), into)
    await guest.download(str(source) + "/", into)
    assert (into / "run.sh").exists()
    assert tree(into / "source") == tree(source)
    with pytest.raises(TransferError, match="exists already"):
        await guest.download(str(source), into)


async def test_files_without_a_size_are_downloaded(guest: SshGuest, tmp_path: Path) -> None:
    await guest.download("/proc/version", tmp_path / "version")
    assert (tmp_path / "version").read_bytes() == Path("/proc/version").read_bytes()


async def test_links_out_of_a_downloaded_folder_are_left_out(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    (source / "passwd").symlink_to("/etc/passwd")
    assert await guest.download(str(source), tmp_path / "back") == ("passwd",)
    assert not (tmp_path / "back" / "passwd").is_symlink()


async def test_what_is_not_there_is_said(guest: SshGuest, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="to upload"):
        await guest.upload(tmp_path / "absent", "/tmp/x")
    with pytest.raises(GuestFileMissingError, match="in the guest"):
        await guest.download("/absent", tmp_path / "x")
    assert names(tmp_path) == ["sshd"]


async def test_a_full_disk_in_the_guest_is_named(guest: SshGuest, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(3_000_000))
    await guest.run(
        f"mkdir -p {tmp_path}/bin; printf '#!/bin/sh\\nexec cat >/dev/full\\n' >{tmp_path}/bin/tar"
    )
    await guest.run(f"chmod +x {tmp_path}/bin/tar")
    for source in (big, tmp_path / "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(TransferError) as caught:
            await _Prefixed(guest, f"PATH={tmp_path}/bin:$PATH; ulimit -f 1000; ").upload(
                source, str(tmp_path / "t" / source.name)
            )
        if source is not big:
            assert "disk is full" in caught.value.problem.why
    assert names(tmp_path / "t") == [], "nothing half made is left"


class _Prefixed:
    """The guest, with something before each command: a limit, or another PATH."""

    def __init__(self, guest: SshGuest, prefix: str) -> None:
        self._guest = guest
        self._prefix = prefix

    async def upload(self, source: Path, target: str) -> None:
        from core.guests import transfer

        await transfer.upload(self, source, target)

    async def download(self, source: str, target: Path) -> None:
        from core.guests import transfer

        await transfer.download(self, source, target)

    async def start(self, command: str, *, stderr: object = None) -> object:
        return await self._guest.start(self._prefix + command, stderr=stderr)  # type: ignore[arg-type]


async def test_without_tar_files_still_go_and_folders_say_what_is_missing(
    guest: SshGuest, source: Path, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "mkdir", "mktemp", "wc", "chmod", "mv", "rm", "stat"):
        (tools / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    bare = _Prefixed(guest, f"PATH={tools}; ")
    await bare.upload(source / "run.sh", str(tmp_path / "up"))
    await bare.download(str(source / "run.sh"), tmp_path / "down")
    assert (tmp_path / "up").read_bytes() == (tmp_path / "down").read_bytes() == b"#!/bin/sh\n"
    with pytest.raises(TransferError) as caught:
        await bare.upload(source, str(tmp_path / "folder"))
    assert "no tar" in caught.value.problem.why
    with pytest.raises(TransferError) as caught:
        await bare.download(str(source), tmp_path / "folder")
    assert "install tar" in caught.value.problem.remedy


async def test_a_full_disk_of_the_host_is_named(
    guest: SshGuest, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.guests.unpacking.write_sparse", full)
    for path in (source, source / "run.sh"):
        with pytest.raises(TransferError, match="the disk is full"):
            await guest.download(str(path), tmp_path / "back")
    assert names(tmp_path) == ["source", "sshd"]


async def test_a_cancelled_upload_leaves_nothing(guest: SshGuest, tmp_path: Path) -> None:
    big = tmp_path / "source" / "big"
    big.parent.mkdir()
    big.write_bytes(bytes(1) * 60_000_000)
    for source in (big, big.parent):
        under_way = asyncio.Event()
        target = tmp_path / "target" / "x"
        task = asyncio.create_task(
            guest.upload(source, str(target), transfer=lambda done, total, seen=under_way: seen.set())  # type: ignore[misc]
        )
        await under_way.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The next command queues behind nothing: wait until the guest's side has cleaned up.
        async with asyncio.timeout(30):
            while names(target.parent):
                await guest.run("sleep 0.05")


async def test_a_connection_that_breaks_puts_nothing_in_place(
    guest: SshGuest, sshd: Sshd, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(80_000_000))
    for up in (True, False):
        if not guest.alive:
            from core.guests.ssh import connect

            await sshd.started()
            guest = await connect(sshd.endpoint)
        with pytest.raises(TransferError, match="connection to the guest broke"):
            if up:
                await guest.upload(big, str(tmp_path / "t"), transfer=lambda done, total: sshd.stop())
            else:
                await guest.download(str(big), tmp_path / "t", transfer=lambda done, total: sshd.stop())
        assert not (tmp_path / "t").exists()


async def test_a_file_that_shrinks_while_it_is_sent_is_told(guest: SshGuest, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "b").write_bytes(bytes(3_000_000))

    def cut(done: int, total: int | None) -> None:
        with (source / "b").open("r+b") as file:
            file.truncate(100)

    with pytest.raises(TransferError):
        await guest.upload(source / "b", str(tmp_path / "t"), transfer=cut)
    (source / "b").write_bytes(bytes(9_000_000))
    with pytest.raises(TransferError, match="shorter"):
        await guest.upload(source, str(tmp_path / "t"), transfer=cut)
    assert not (tmp_path / "t").exists()


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 100)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, data=st.binary(max_size=500))
def test_names_of_any_kind_go_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    """Not over SSH (each example would need a loop of its own): the scripts in a shell of this machine."""
    import subprocess

    from core.guests import scripts

    base = tmp_path_factory.mktemp("names")
    script = scripts.receive_file(f"{base}/{name}", name, size=len(data), mode=0o600, gzip=False)
    subprocess.run(["sh", "-c", scripts.in_shell(script)], input=data, check=True, timeout=20)
    assert names(base) == [name]
    sent = subprocess.run(
        ["sh", "-c", scripts.in_shell(scripts.send_file(f"{base}/{name}"))], capture_output=True, timeout=20
    )
    assert sent.stdout == data
