"""Commands and shells over a real SSH server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import UsageError
from core.guests import login
from core.guests.channel import Channel
from core.guests.errors import (
    CommandTimeoutError,
    ConnectionLostError,
    HostKeyChangedError,
    KeyRefusedError,
)
from core.guests.hostkeys import pinned
from core.guests.ssh import SshGuest, connect
from tests.support.processes import gone
from tests.support.sshd import Sshd, make_key


async def test_outputs_are_streamed_apart_and_the_status_comes_back(guest: SshGuest) -> None:
    out, err = bytearray(), bytearray()
    ran = await guest.run("echo out; echo err >&2; exit 3", stdout=out.extend, stderr=err.extend)
    assert (ran.status, ran.signal, bytes(out), bytes(err)) == (3, "", b"out\n", b"err\n")


async def test_a_signal_is_told_by_its_name(guest: SshGuest) -> None:
    ran = await guest.run("kill -KILL $$")
    assert (ran.status, ran.signal) == (137, "KILL")


async def test_input_of_any_size_and_bytes_arrives(guest: SshGuest) -> None:
    data = os.urandom(3_000_000)
    out = bytearray()
    ran = await guest.run("cat", stdin=data, stdout=out.extend)
    assert ran.status == 0
    assert bytes(out) == data


async def test_without_input_a_command_that_reads_comes_to_its_end(guest: SshGuest) -> None:
    assert (await guest.run("cat", timeout=10)).status == 0
    assert (await guest.run("cat", pty=True, timeout=10)).status == 0


async def test_a_command_may_end_without_reading_its_input(guest: SshGuest) -> None:
    assert (await guest.run("exit 4", stdin=bytes(8_000_000))).status == 4


async def test_variables_are_passed_whatever_they_hold(guest: SshGuest) -> None:
    out = bytearray()
    env = {"A": 'it\'s "$HOME" `x`\n\\ ', "EMPTY": "", "Ü".replace("Ü", "U"): "äöü €"}
    await guest.run('printf "%s|%s|%s" "$A" "$EMPTY" "$U"', env=env, stdout=out.extend)
    assert bytes(out).decode() == "|".join(env.values())
    with pytest.raises(UsageError):
        await guest.run("true", env={"A; rm": "x"})


async def test_a_terminal_shows_bytes_as_they_were_written(guest: SshGuest) -> None:
    out = bytearray()
    await guest.run("test -t 1 && printf 'a\\nb\\r\\n\\377\\033[31m'", pty=True, stdout=out.extend)
    assert bytes(out) == b"a\nb\r\n\xff\x1b[31m"


async def test_ten_megabytes_in_a_line_pass_through(guest: SshGuest) -> None:
    count = 0

    def take(data: bytes) -> None:
        nonlocal count
        count += len(data)

    assert (await guest.run("head -c 10000000 /dev/zero", stdout=take)).status == 0
    assert count == 10_000_000


async def test_commands_run_side_by_side_on_one_connection(guest: SshGuest, sshd: Sshd) -> None:
    fifo = sshd.folder / "fifo"
    os.mkfifo(fifo)
    first = asyncio.create_task(guest.run(f"cat {fifo}"))
    second = await guest.run(f"echo x >{fifo}", timeout=10)
    assert second.status == 0
    assert (await first).status == 0


@pytest.mark.parametrize("pty", [False, True])
async def test_a_timeout_ends_the_command_and_its_children_in_the_guest(
    guest: SshGuest, sshd: Sshd, pty: bool
) -> None:
    pids = sshd.folder / "pids"
    with pytest.raises(CommandTimeoutError, match=r"0\.5 s") as caught:
        await guest.run(
            f"setsid sleep 600 & echo $! >{pids}; echo $$ >>{pids}; sleep 600", timeout=0.5, pty=pty
        )
    assert "sleep 600" in caught.value.problem.why
    async with asyncio.timeout(30):
        for pid in pids.read_text().split():
            await gone(int(pid))
    assert (await guest.run("true")).status == 0


async def test_cancelling_ends_the_command_in_the_guest(guest: SshGuest, sshd: Sshd) -> None:
    pids = sshd.folder / "pids"
    started = asyncio.Event()
    task = asyncio.create_task(
        guest.run(f"echo $$ >{pids}; echo; sleep 600", stdout=lambda data: started.set())
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):
        await gone(int(pids.read_text()))


async def test_cancelling_ends_a_command_whose_channel_is_not_yet_known_to_be_open(
    guest: SshGuest, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a command prints can be here before the answer that it has begun."""
    pids = sshd.folder / "pids"
    written, answered = asyncio.Event(), asyncio.Event()
    opened = guest.open_channel

    async def late(*words: Any, **options: Any) -> Channel:
        channel = await opened(*words, **options)
        await answered.wait()
        return channel

    with monkeypatch.context() as patched:
        patched.setattr(guest, "open_channel", late)
        task = asyncio.create_task(
            guest.run(f"echo $$ >{pids}; echo; sleep 600", stdout=lambda data: written.set())
        )
        await written.wait()
        task.cancel()
    answered.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60):
        await gone(int(pids.read_text()))


async def test_what_an_output_callback_raises_ends_only_its_command(guest: SshGuest) -> None:
    def take(data: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await guest.run("echo x; sleep 600", stdout=take)
    assert (await guest.run("true")).status == 0


async def test_a_connection_that_breaks_under_a_command_is_told(guest: SshGuest, sshd: Sshd) -> None:
    started = asyncio.Event()
    task = asyncio.create_task(guest.run("echo; sleep 600", stdout=lambda data: started.set()))
    await started.wait()
    sshd.stop()
    assert (await task).status == -1
    await guest.wait_closed()
    assert not guest.alive
    with pytest.raises(ConnectionLostError, match="broken"):
        await guest.run("true")


async def test_a_guest_that_is_dead_behind_an_open_connection_is_noticed(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "_KEEPALIVE_SECONDS", 0.1)
    guest = await connect(sshd.endpoint)
    frozen = sshd.sessions()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(30):
            assert (await guest.run("true")).status == -1
    except ConnectionLostError:
        pass  # noticed while the command was being started
    finally:
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert not guest.alive


async def test_a_refused_key_says_which_were_tried(sshd: Sshd, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    with pytest.raises(KeyRefusedError) as caught:
        await connect(sshd.endpoint, identities=[str(stranger), str(tmp_path / "absent")])
    assert str(stranger) in caught.value.problem.why
    assert "No such file" in caught.value.problem.why
    assert "ssh.identity" in caught.value.problem.remedy
    assert not sshd.known_hosts.exists(), "a guest that let nobody in gets no pin"


async def test_keys_are_tried_in_order_and_the_accepted_one_is_known(sshd: Sshd, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    guest = await connect(sshd.endpoint, identities=[str(stranger), str(sshd.client_key)])
    assert guest.identity == str(sshd.client_key)
    await guest.close()


async def test_the_first_host_key_is_pinned_and_another_one_refused(sshd: Sshd) -> None:
    guest = await connect(sshd.endpoint)
    await guest.close()
    assert pinned(sshd.known_hosts) == (guest.host_key,)
    sshd.stop()
    sshd.new_host_key()
    await sshd.started()
    with pytest.raises(HostKeyChangedError, match="changed") as caught:
        await connect(sshd.endpoint)
    assert str(sshd.known_hosts) in caught.value.problem.remedy
    sshd.known_hosts.unlink()
    await (await connect(sshd.endpoint)).close()


async def test_a_guest_with_more_kinds_of_host_keys_later_still_shows_the_pinned_one(
    tmp_path: Path,
) -> None:
    make_key(tmp_path / "rsa", "rsa")
    server = Sshd(tmp_path / "server")
    ed25519 = server.host_key
    server.host_key = tmp_path / "rsa"
    await server.started()
    try:
        await (await connect(server.endpoint)).close()
        server.stop()
        server.extra = f"HostKey {ed25519}"
        await server.started()
        guest = await connect(server.endpoint)
        assert guest.host_key[0] == "ssh-rsa"
        await guest.close()
    finally:
        server.stop()


async def test_nothing_listening_is_a_clear_error(sshd: Sshd) -> None:
    sshd.stop()
    with pytest.raises(ConnectionLostError, match=f"127.0.0.1:{sshd.port}"):
        await connect(sshd.endpoint)


async def test_a_shell_takes_keys_sizes_and_tells_its_end(guest: SshGuest) -> None:
    out = bytearray()
    seen = asyncio.Event()

    def take(data: bytes) -> None:
        out.extend(data)
        if b"24 80" in out or b"50 132" in out:
            seen.set()

    shell = await guest.shell(take, term="vt100")
    await shell.write(b"stty size; echo $TERM\n")
    async with asyncio.timeout(30):
        await seen.wait()
        seen.clear()
        out.clear()
        shell.resize(132, 50)
        await shell.write(b"stty size; exit 5\n")
        await seen.wait()
        assert (await shell.wait()).status == 5


async def test_closing_a_shell_hangs_up(guest: SshGuest) -> None:
    out = bytearray()
    began = asyncio.Event()

    def take(data: bytes) -> None:
        out.extend(data)
        if re.search(rb"pid=\d+\r", out):
            began.set()

    shell = await guest.shell(take)
    await shell.write(b"echo pid=$$\n")
    async with asyncio.timeout(30):
        await began.wait()
        found = re.search(rb"pid=(\d+)\r", out)
        assert found
        pid = int(found[1])
        await shell.close()
        await gone(pid)


@pytest.fixture
def agent(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    path = str(tmp_path / "agent")
    said = subprocess.run(["ssh-agent", "-s", "-a", path], capture_output=True, timeout=10, check=True).stdout
    found = re.search(rb"SSH_AGENT_PID=(\d+)", said)
    assert found
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    subprocess.run(["ssh-add", "-q", str(sshd.client_key)], check=True, timeout=10)
    yield path
    os.kill(int(found[1]), signal.SIGTERM)


async def test_the_agent_is_forwarded_when_asked_and_only_then(sshd: Sshd, agent: str) -> None:
    for forward, listed in ((True, True), (False, False)):
        endpoint = msgspec.structs.replace(sshd.endpoint, forward_agent=forward)
        guest = await connect(endpoint)
        out = bytearray()
        await guest.run("ssh-add -l", stdout=out.extend)
        assert (b"ED25519" in out) is listed
        await guest.close()
