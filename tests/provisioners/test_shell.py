"""The shell provisioner in a real shell behind a real SSH server."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from core.errors import NotFoundError, UsageError
from core.guests.ssh import SshGuest
from core.model.project import Provision
from core.provisioners.base import ProvisionError
from core.provisioners.shell import ShellProvisioner
from tests.support.processes import gone
from tests.support.sshd import Sshd
from tests.support.work import RecordingWork


async def run(guest: SshGuest, root: Path, provision: Provision) -> RecordingWork:
    work = RecordingWork()
    shell = ShellProvisioner()
    shell.check(provision, root)
    await shell.run(provision, guest, project_root=root, work=work)
    return work


def left_behind() -> list[str]:
    return [path.name for path in Path(tempfile.gettempdir()).glob("boxwright.*")]


async def test_inline_commands_stop_at_the_first_that_fails(guest: SshGuest, tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="'echo one' …") as caught:
        await run(guest, tmp_path, Provision(shell="echo one\n(exit 3)\necho two"))
    assert caught.value.problem.tail == ("one",)
    assert "exit status 3" in caught.value.problem.why
    assert left_behind() == []


async def test_inline_commands_with_a_first_line_of_their_own_choose_their_shell(
    guest: SshGuest, tmp_path: Path
) -> None:
    work = await run(guest, tmp_path, Provision(shell="#!/bin/sh\nfalse\necho $0 went on"))
    assert work.output.endswith(b"script went on\n")


async def test_a_script_runs_by_its_own_interpreter_with_its_arguments(
    guest: SshGuest, tmp_path: Path
) -> None:
    (tmp_path / "s").write_bytes(b"#!/usr/bin/env python3\r\nimport sys\r\nprint(sys.argv[1:])\r\n")
    work = await run(guest, tmp_path, Provision(script="s", args=("a b", "$HOME", "'", "")))
    assert work.output == b"['a b', '$HOME', \"'\", '']\n"
    assert left_behind() == []


async def test_a_script_without_a_first_line_goes_on_after_a_failure(guest: SshGuest, tmp_path: Path) -> None:
    (tmp_path / "s").write_text("false\necho went on\n")
    assert (await run(guest, tmp_path, Provision(script="s"))).output == b"went on\n"


async def test_a_program_runs_as_it_is(guest: SshGuest, tmp_path: Path) -> None:
    work = await run(guest, tmp_path, Provision(script="/bin/echo", args=("from", "a program")))
    assert work.output == b"from a program\n"


async def test_colours_come_as_programs_send_them_and_nobody_waits_for_keys(
    guest: SshGuest, tmp_path: Path
) -> None:
    text = "test -t 1; test -t 2; ! test -t 0; cat; ls -d --color=auto /; echo $DEBIAN_FRONTEND"
    work = await run(guest, tmp_path, Provision(shell=text, timeout=20))
    assert b"\x1b[" in work.output
    assert work.output.endswith(b"\nnoninteractive\n")
    assert b"\r" not in work.output


async def test_variables_and_working_directory(guest: SshGuest, tmp_path: Path) -> None:
    (tmp_path / "a dir").mkdir()
    work = await run(
        guest,
        tmp_path,
        Provision(
            shell='pwd; printf "%s\\n" "$A" "$PAGER"',
            cwd=f"{tmp_path}/a dir",
            env={"A": "'\n$x", "PAGER": "m"},
        ),
    )
    assert work.output.decode() == f"{tmp_path}/a dir\n'\n$x\nm\n"


async def test_a_working_directory_that_is_not_there_is_named(guest: SshGuest, tmp_path: Path) -> None:
    with pytest.raises(ProvisionError) as caught:
        await run(guest, tmp_path, Provision(shell="true", cwd="/not/there"))
    assert "/not/there" in caught.value.problem.why


async def test_secrets_are_in_no_process_list_and_no_output(guest: SshGuest, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    text = f"cat /proc/[0-9]*/cmdline >{seen} 2>/dev/null || :; stat -c %a $(dirname $0)"
    work = await run(guest, tmp_path, Provision(shell=text, env={"TOKEN": "s3cr3t-t0k3n"}))
    assert b"s3cr3t-t0k3n" not in seen.read_bytes()
    assert work.output == b"700\n"


async def test_a_hanging_script_is_ended_with_its_children(guest: SshGuest, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = f"echo before\nsetsid sleep 600 & echo $! >{pids}\nsleep 600"
    with pytest.raises(ProvisionError, match=r"longer than 0\.7 s") as caught:
        await run(guest, tmp_path, Provision(shell=text, timeout=0.7))
    assert caught.value.problem.tail == ("before",)
    async with asyncio.timeout(30):
        await gone(int(pids.read_text()))
    assert left_behind() == []


async def test_a_cancelled_script_leaves_neither_processes_nor_files(guest: SshGuest, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    task = asyncio.create_task(
        run(guest, tmp_path, Provision(shell=f"echo $$ >{pids}\necho >{fifo}\nsleep 600"))
    )
    await asyncio.to_thread(fifo.read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):
        await gone(int(pids.read_text()))
    assert left_behind() == []


async def test_a_guest_that_restarts_under_a_script_is_told(
    guest: SshGuest, sshd: Sshd, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    task = asyncio.create_task(run(guest, tmp_path, Provision(shell=f"echo said; echo >{fifo}; sleep 600")))
    await asyncio.to_thread(fifo.read_text)
    sshd.stop()
    with pytest.raises(ProvisionError) as caught:
        await task
    assert "connection to the guest broke" in caught.value.problem.why


async def test_a_signal_that_ends_a_script_is_named(guest: SshGuest, tmp_path: Path) -> None:
    with pytest.raises(ProvisionError) as caught:
        await run(guest, tmp_path, Provision(shell="kill -SEGV $$"))
    assert "SEGV" in caught.value.problem.why or "139" in caught.value.problem.why


async def test_ten_megabytes_in_a_line_and_bytes_that_are_no_text(guest: SshGuest, tmp_path: Path) -> None:
    text = "head -c 10000000 /dev/zero | tr '\\0' x; printf '\\377\\376\\n'; exit 1"
    work = RecordingWork()
    with pytest.raises(ProvisionError) as caught:
        await ShellProvisioner().run(Provision(shell=text), guest, project_root=tmp_path, work=work)
    assert len(work.output) == 10_000_003
    assert work.output.endswith(b"x\xff\xfe\n")
    (line,) = caught.value.problem.tail
    assert len(line) < 500


async def test_what_is_wrong_beforehand_is_said_beforehand(tmp_path: Path) -> None:
    shell = ShellProvisioner()
    with pytest.raises(NotFoundError, match="absent"):
        shell.check(Provision(script="absent"), tmp_path)
    with pytest.raises(UsageError, match="'A-B'"):
        shell.check(Provision(shell="true", env={"A-B": "x"}), tmp_path)


async def test_a_guest_without_room_is_told(guest: SshGuest, tmp_path: Path) -> None:
    class Full:
        async def run(self, command: str, **options: object) -> object:
            return await guest.run(f"export TMPDIR=/proc/nowhere; {command}", **options)  # type: ignore[arg-type]

    with pytest.raises(ProvisionError, match="could not be put into the guest"):
        await run(Full(), tmp_path, Provision(shell="true"))  # type: ignore[arg-type]


async def test_an_account_that_cannot_become_root_is_told(guest: SshGuest, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)

    class Unprivileged:
        async def run(self, command: str, **options: object) -> object:
            return await guest.run(f"PATH={tools}:$PATH; {command}", **options)  # type: ignore[arg-type]

    with pytest.raises(ProvisionError, match="needs root") as caught:
        await run(Unprivileged(), tmp_path, Provision(shell="true"))  # type: ignore[arg-type]
    assert "a password is required" in caught.value.problem.why
    assert "privileged = false" in caught.value.problem.remedy
    work = await run(Unprivileged(), tmp_path, Provision(shell="echo fine", privileged=False))  # type: ignore[arg-type]
    assert work.output == b"fine\n"
    assert left_behind() == []
