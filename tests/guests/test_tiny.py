"""The same in a real virtual machine: Dropbear, BusyBox and sudo behind QEMU's user network."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.guests import keys
from core.guests.errors import CommandTimeoutError, GuestGoneError, TransferError
from core.guests.folders import copy_folders
from core.guests.hostname import set_hostname
from core.guests.openssh import ssh_command
from core.guests.replacement import replace_key
from core.guests.ssh import SshGuest
from core.guests.wait import wait_for_guest
from core.model.machine import Endpoint
from core.model.project import Folder, Provision
from core.provisioners.base import ProvisionError
from core.provisioners.run import provision
from tests.guests.test_transfer import source, tree
from tests.support.tiny import Booted, booted, tiny_image
from tests.support.work import RecordingWork

__all__ = ["source", "tiny_image"]

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="bw"))
    yield made
    shutil.rmtree(made)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine(tiny_image: Path, folder: Path) -> AsyncIterator[Booted]:
    async with booted(tiny_image, folder) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guest(machine: Booted, folder: Path) -> AsyncIterator[SshGuest]:
    """A guest as after its first boot: waited for, and with the machine's own key."""
    endpoint = Endpoint(
        host="127.0.0.1",
        port=machine.port,
        user="vagrant",
        identity=keys.login_identities(folder)[0],
        known_hosts=str(folder / "known_hosts"),
    )
    work = RecordingWork()
    fresh = await wait_for_guest(endpoint, work=work, identities=keys.login_identities(folder), timeout=120)
    assert keys.is_insecure(fresh.identity)
    assert "authenticated" in work.notes[-1]
    own = await replace_key(fresh, folder, work=work)
    yield own
    await own.close()


async def said(guest: SshGuest, command: str) -> str:
    out = bytearray()
    ran = await guest.run(command, stdout=out.extend, stderr=out.extend, timeout=60)
    assert ran.status == 0, bytes(out)
    return bytes(out).decode().strip()


async def test_only_the_machines_own_key_is_left(guest: SshGuest) -> None:
    lines = (await said(guest, "cat ~/.ssh/authorized_keys")).splitlines()
    assert [line.split()[0] for line in lines] == ["ssh-ed25519"]
    assert not keys.is_insecure(guest.identity)


async def test_the_openssh_client_reaches_it_with_what_was_pinned(guest: SshGuest) -> None:
    argv = ssh_command(guest.endpoint, command="id -un; exit 5")
    ran = await asyncio.to_thread(subprocess.run, argv, capture_output=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (5, b"vagrant\n"), ran.stderr


async def test_folders_and_files_go_there_and_back(guest: SshGuest, source: Path, tmp_path: Path) -> None:
    await guest.upload(source, "up/target")
    await guest.upload(source, "up/target")
    await guest.upload(source / "run.sh", "up/", mode=0o700)
    await guest.download("up/target", tmp_path / "back")
    assert tree(tmp_path / "back") == tree(source)
    assert await said(guest, "stat -c '%a %U' up/run.sh; ls -A up") == "700 vagrant\nrun.sh\ntarget"


async def test_what_belongs_to_root_is_put_there_by_sudo(guest: SshGuest, source: Path) -> None:
    await guest.upload(source, "/etc/app", owner_root=True)
    await guest.upload(source / "run.sh", "/etc/app.sh", owner_root=True)
    assert (
        await said(guest, "stat -c '%U:%G %a' /etc/app/run.sh /etc/app.sh") == "root:root 755\nroot:root 755"
    )
    with pytest.raises(TransferError) as caught:
        await guest.upload(source / "run.sh", "/etc/other.sh")
    assert "Permission denied" in caught.value.problem.why


async def test_a_sparse_file_arrives_right(guest: SshGuest, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(20_000_000)
        file.write(b"data")
    await guest.upload(sparse, "sparse")
    assert await said(guest, "wc -c <sparse; head -c 4 sparse; rm sparse") == "20000000\ndata"


async def test_a_full_disk_is_named_and_nothing_is_left(guest: SshGuest, tmp_path: Path) -> None:
    await said(guest, "sudo mkdir -p /small && sudo mount -t tmpfs -o size=1m,mode=777 tmpfs /small")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "big").write_bytes(os.urandom(3_000_000))
    for sent in (tmp_path / "d" / "big", tmp_path / "d"):
        with pytest.raises(TransferError) as caught:
            await guest.upload(sent, "/small/x/y")
        assert "disk is full" in caught.value.problem.why
    assert await said(guest, "ls -A /small/x") == ""


async def test_copied_folders_belong_to_the_account(guest: SshGuest, source: Path) -> None:
    await copy_folders(
        guest, source.parent, (Folder(host="source", guest="/srv/app/web"),), work=RecordingWork()
    )
    assert await said(guest, "stat -c %U /srv/app/web /srv/app/web/run.sh") == "vagrant\nvagrant"


async def test_the_name_is_set_once_and_resolves(guest: SshGuest) -> None:
    for _ in range(2):
        await set_hostname(guest, "web.example.org")
    found = await said(guest, "hostname; cat /etc/hostname; grep -c web /etc/hosts; grep web /etc/hosts")
    assert found.splitlines() == ["web", "web", "1", "127.0.1.1 web.example.org web"]
    assert "localhost" in await said(guest, "cat /etc/hosts")


async def test_provisioners_run_as_root_or_as_the_account(guest: SshGuest, source: Path) -> None:
    work = RecordingWork()
    steps = (
        Provision(shell="id -un; echo $HOME; echo $SECRET", env={"SECRET": "x y"}),
        Provision(shell="id -un; test -t 1 && echo coloured", privileged=False, cwd="/srv"),
        Provision(file="run.sh", to="/opt/run.sh", mode="0750"),
        Provision(script="run.sh", args=("x",)),
    )
    await provision(guest, source, steps, work=work)
    assert work.output == b"root\n/root\nx y\nvagrant\ncoloured\n"
    assert (
        await said(guest, "stat -c '%a %U' /opt/run.sh; ls -A /tmp | grep -c boxwright || :") == "750 root\n0"
    )


async def test_a_hanging_root_script_is_ended_with_its_children(guest: SshGuest) -> None:
    hanging = Provision(shell="echo began; sleep 987 & sleep 987", timeout=3)
    with pytest.raises(ProvisionError, match="longer than 3 s") as caught:
        await provision(guest, "/", (hanging,), work=RecordingWork(), machine="web")
    assert caught.value.problem.tail == ("began",)
    with pytest.raises(CommandTimeoutError):
        await guest.run("sleep 988 & sleep 988", timeout=1)
    # On a busy computer the guest ends them a moment later.
    gone = "n=0; while ps | grep -q '[s]leep 98' && [ $n -lt 100 ]; do sleep 0.2; n=$((n+1)); done"
    assert await said(guest, f"{gone}; ps | grep -c '[s]leep 98' || :") == "0"


async def test_a_shell_has_the_size_that_was_asked_for(guest: SshGuest) -> None:
    out = bytearray()
    shell = await guest.shell(out.extend, columns=101, rows=33)
    await shell.write(b"stty size; exit 3\n")
    async with asyncio.timeout(30):
        assert (await shell.wait()).status == 3
    assert b"33 101" in out


async def test_a_machine_that_is_killed_while_it_boots_is_told(tiny_image: Path, folder: Path) -> None:
    (folder / "second").mkdir()
    async with booted(tiny_image, folder / "second") as running:
        ended = asyncio.Event()
        descriptor = os.pidfd_open(running.pid)
        asyncio.get_running_loop().add_reader(descriptor, ended.set)

        async def gone() -> str:
            await ended.wait()
            return "QEMU was killed"

        endpoint = Endpoint(host="127.0.0.1", port=running.port, user="vagrant")
        waiting = asyncio.create_task(wait_for_guest(endpoint, work=RecordingWork(), gone=gone, timeout=60))
        await asyncio.sleep(0.5)
        os.kill(running.pid, 9)
        with pytest.raises(GuestGoneError) as caught:
            await waiting
        assert "QEMU was killed" in caught.value.problem.why
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def test_a_guest_that_is_halted_ends_the_connection(guest: SshGuest, machine: Booted) -> None:
    """The last one: the guest is gone afterwards."""
    assert (await guest.run("poweroff", timeout=60)).status == 1
    ran = await guest.run("sudo poweroff", timeout=60)
    assert ran.status in (-1, 0)
    async with asyncio.timeout(60):
        await guest.wait_closed()
        await machine.ended.wait()
    assert not guest.alive
