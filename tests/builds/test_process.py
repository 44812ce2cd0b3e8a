"""Programs run for a build: output as it comes, clear failures, and nothing that outlives us."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from core.builds import namespace
from core.builds.process import run_guarded, run_tool
from core.builds.undo import remove_folder
from core.errors import BoxwrightError
from tests.support.work import RecordingWork


def alive(folder: Path) -> list[str]:
    """Command lines of processes that name ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in line:
                found.append(line.replace(b"\0", b" ").decode())
    return found


async def until_written(path: Path) -> str:
    async with asyncio.timeout(30):
        # Another process writes: there is no event to wait for.
        while not path.exists() or not path.read_text().endswith("\n"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return path.read_text()


async def until_ended(folder: Path) -> None:
    async with asyncio.timeout(30):
        while alive(folder):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_both_outputs_reach_the_log_with_their_colours() -> None:
    work = RecordingWork()
    await run_tool(["sh", "-c", r"printf '\033[31mred\033[0m\n'; echo two >&2"], work=work, doing="printing")
    assert work.output == b"\x1b[31mred\x1b[0m\ntwo\n"


async def test_a_failure_says_what_was_done_how_it_ended_and_the_last_lines() -> None:
    with pytest.raises(BoxwrightError) as caught:
        await run_tool(
            ["sh", "-c", "seq 100; echo because; exit 7"], work=RecordingWork(), doing="counting sheep"
        )
    problem = caught.value.problem
    assert problem.what == "Counting sheep failed (exit status 7)."
    assert problem.tail[-2:] == ("100", "because")
    assert len(problem.tail) < 20


async def test_a_full_disk_is_called_one() -> None:
    with pytest.raises(BoxwrightError, match="disk is full") as caught:
        await run_tool(["sh", "-c", "cat /etc/hostname > /dev/full"], work=RecordingWork(), doing="writing")
    assert caught.value.problem.remedy


async def test_output_without_line_ends_and_bytes_that_are_no_text_pass_in_bounded_memory() -> None:
    work = RecordingWork()
    script = r"head -c 3000000 /dev/zero | tr '\0' 'x'; printf '\377\n'"
    await run_tool(["sh", "-c", script], work=work, doing="printing")
    assert work.output == b"x" * 3000000 + b"\xff\n"


async def test_cancelling_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f"sh -c 'sleep 1000; true' {tmp_path} & echo yes > {started}; wait"
    running = asyncio.create_task(run_tool(["sh", "-c", script], work=RecordingWork(), doing="sleeping"))
    await until_written(started)
    assert alive(tmp_path)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_ended(tmp_path)


async def test_cancelled_before_asyncio_knows_of_the_program_nothing_of_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipes are connected one turn of the loop after the other; a program may be far by then."""
    real = asyncio.create_subprocess_exec
    started, far = tmp_path / "started", asyncio.Event()

    async def slow(*arguments: Any, **more: Any) -> asyncio.subprocess.Process:
        process = await real(*arguments, **more)
        await until_written(started)
        far.set()
        await asyncio.sleep(0)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
    script = f"sh -c 'sleep 1000; true' {tmp_path} & echo yes > {started}; wait"
    running = asyncio.create_task(run_tool(["sh", "-c", script], work=RecordingWork(), doing="sleeping"))
    await far.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_ended(tmp_path)


@pytest.mark.real
async def test_cancelling_ends_everything_in_a_namespace_before_it_returns(tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f"setsid sleep 1000 & trap '' TERM HUP INT; echo yes > {started}; sleep 1000"
    arguments = namespace.inside(["sh", "-c", script, str(tmp_path)], tmp_path)
    running = asyncio.create_task(run_guarded(arguments, work=RecordingWork(), doing="sleeping"))
    await until_written(started)
    assert alive(tmp_path)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert alive(tmp_path) == []


@pytest.mark.real
async def test_the_exit_status_comes_out_of_a_namespace(tmp_path: Path) -> None:
    with pytest.raises(BoxwrightError, match="exit status 42"):
        await run_guarded(
            namespace.inside(["sh", "-c", "exit 42"], tmp_path), work=RecordingWork(), doing="leaving"
        )


_OWNER = """
import asyncio, sys
from pathlib import Path
from core.builds import namespace
from core.builds.process import run_guarded, run_tool
from tests.support.work import RecordingWork

folder = Path(sys.argv[1])
started = str(folder / "started")
arguments = ["sh", "-c", f"echo yes > {started}; exec tail -f {started}"]
if sys.argv[2] == "namespace":
    asyncio.run(run_guarded(namespace.inside(arguments, folder), work=RecordingWork(), doing="x"))
else:
    asyncio.run(run_tool(arguments, work=RecordingWork(), doing="x"))
"""


@pytest.mark.real
@pytest.mark.parametrize("kind", ["namespace", "tool"])
async def test_when_we_are_killed_the_programs_end_by_themselves(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", _OWNER, str(folder), kind)
    await until_written(folder / "started")
    owner.send_signal(signal.SIGKILL)
    await owner.wait()
    await until_ended(folder)
    await remove_folder({"path": str(folder)})
    assert not folder.exists()


async def test_undoing_is_content_with_nothing_and_works_twice(tmp_path: Path) -> None:
    folder = tmp_path / "never"
    await remove_folder({"path": str(folder)})
    (folder / "deep").mkdir(parents=True)
    (folder / "deep").chmod(0o500)
    await remove_folder({"path": str(folder)})
    await remove_folder({"path": str(folder)})
    assert not folder.exists()


async def test_undoing_ends_programs_that_still_work_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "echo yes > $0/started; exec tail -f $0/started", str(folder)
    )
    await until_written(folder / "started")
    await remove_folder({"path": str(folder)})
    assert await process.wait() == -signal.SIGKILL
    assert not folder.exists()
