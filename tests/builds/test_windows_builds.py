"""Builds of Windows over WinRM, against a stand-in: commands, their output and ends, files, restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BoxwrightError, ConfigError
from core.guests.errors import CommandTimeoutError, GuestFileMissingError, GuestSilentError, KeyRefusedError
from core.guests.winrm import waiting
from core.guests.winrm.guest import WinrmGuest
from core.guests.winrm.session import WinrmEndpoint
from core.provisioners.base import ProvisionError
from tests.builds.yard import Yard
from tests.support.waiting import until
from tests.support.windows import Windows
from tests.support.wsman import WsmanServer


@pytest.fixture
def server() -> Iterator[WsmanServer]:
    made = WsmanServer(Windows())
    yield made
    made.stop()
    assert made.windows.shells == set(), "each shell is closed"


@pytest.fixture
def guest(server: WsmanServer) -> WinrmGuest:
    windows = server.windows
    endpoint = WinrmEndpoint(host="127.0.0.1", port=server.port, user=windows.user, password=windows.password)
    return WinrmGuest(endpoint)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


async def build(yard: Yard, server: WsmanServer, *steps: dict[str, Any], **more: Any) -> None:
    source = {
        "type": "null",
        "communicator": "winrm",
        "winrm_host": "127.0.0.1",
        "winrm_port": server.port,
        "winrm_username": server.windows.user,
        "winrm_password": server.windows.password,
        **more,
    }
    yard.write("t.json", json.dumps({"builders": [source], "provisioners": list(steps)}))
    await yard.build("t.json")


async def test_batch_files_run_with_their_variables_and_go_again(yard: Yard, server: WsmanServer) -> None:
    yard.write("set up.bat", "echo of a file %A%\r\n")
    await build(
        yard,
        server,
        {
            "type": "windows-shell",
            "inline": ["echo %A% on %PACKER_BUILDER_TYPE%"],
            "environment_vars": ["A=x y"],
        },
        {"type": "windows-shell", "script": "set up.bat", "env": {"A": "1"}},
        {"type": "windows-shell", "inline": ["exit /b 3"], "valid_exit_codes": [0, 3]},
        {
            "type": "windows-shell",
            "inline": ["echo a"],
            "execute_command": "echo {{.Path}}",
            "skip_clean": True,
        },
    )
    assert b"x y on null\r\nof a file 1\r\n" in yard.work.output
    (kept,) = server.windows.files
    assert f"{kept}\r\n".encode() in yard.work.output


async def test_scripts_of_powershell_run_with_variables_that_are_no_arguments(
    yard: Yard, server: WsmanServer
) -> None:
    secret = 'it\'s $(a) "secret" `value'
    step = {
        "type": "powershell",
        "inline": ['Write-Output "got $env:KEY"', "Write-Error bad", "exit 4"],
        "environment_vars": [f"KEY={secret}"],
        "valid_exit_codes": [4],
    }
    await build(yard, server, step)
    assert f"got {secret}\r\nbad\r\n".encode() in yard.work.output
    assert not any(secret in line for line in server.windows.lines)
    assert server.windows.files == {}


async def test_a_script_that_fails_says_what_it_said_last(yard: Yard, server: WsmanServer) -> None:
    for kind, said in (("windows-shell", "echo the reason"), ("powershell", "Write-Output 'the reason'")):
        with pytest.raises(ProvisionError) as caught:
            await build(yard, server, {"type": kind, "inline": [said, "exit 5"]})
        assert "exit status 5" in caught.value.problem.why
        assert any("the reason" in line for line in caught.value.problem.tail)


async def test_scripts_of_powershell_run_as_another_account_by_a_task_that_goes_again(
    yard: Yard, server: WsmanServer
) -> None:
    windows = server.windows
    windows.accounts["it's me"] = password = "an elevated pässword"
    step = {"type": "powershell", "elevated_user": "it's me", "elevated_password": password}
    lines = ['Write-Output "got $env:KEY"', "exit 4"]
    await build(yard, server, {**step, "inline": lines, "env": {"KEY": "1"}, "valid_exit_codes": [4]})
    assert b"got 1\r\n" in yard.work.output
    await build(
        yard, server, {**step, "inline": lines[:1], "elevated_user": "SYSTEM", "elevated_password": ""}
    )
    assert [user for user, _ in windows.elevated] == ["it's me", "SYSTEM"]
    assert not any(password in line for line in windows.lines)
    for wrong, said in (
        ({"inline": ["Write-Output why", "exit 5"]}, "why"),
        ({"inline": ["exit 0"]}, "incorrect"),
    ):
        if said == "incorrect":
            windows.accounts.clear()
        with pytest.raises(ProvisionError) as caught:
            await build(yard, server, {**step, **wrong})
        assert any(said in line for line in caught.value.problem.tail)
    assert (windows.tasks, windows.files) == ({}, {})


@pytest.mark.parametrize("more", [{}, {"elevated_user": "SYSTEM"}])
async def test_a_script_that_is_cancelled_goes_from_the_guest(
    yard: Yard, server: WsmanServer, more: dict[str, str]
) -> None:
    """The task with it, which would run on."""
    key = "elevated_execute_command" if more else "execute_command"
    step = {"type": "powershell", "inline": ["a"], key: "wait", **more}
    building = asyncio.ensure_future(build(yard, server, step))
    await until(lambda: b"waiting" in yard.work.output)
    assert server.windows.files and len(server.windows.tasks) == len(more)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert (server.windows.tasks, server.windows.files) == ({}, {})


async def test_files_go_there_and_come_back_whole(yard: Yard, server: WsmanServer) -> None:
    data = bytes(range(256)) * 500
    (yard.folder / "in").mkdir()
    (yard.folder / "in" / "a.bin").write_bytes(data)
    (yard.folder / "in" / "empty").touch()
    await build(
        yard,
        server,
        {"type": "file", "source": "in", "destination": "c:/it's/"},
        {"type": "file", "content": "text", "destination": "c:/text.txt"},
        {"type": "file", "direction": "download", "source": "c:/it's/in/a.bin", "destination": "out.bin"},
    )
    assert server.windows.files == {
        "c:/it's/in/a.bin": data,
        "c:/it's/in/empty": b"",
        "c:/text.txt": b"text",
    }
    assert (yard.folder / "out.bin").read_bytes() == data
    step = {"type": "file", "direction": "download", "source": "c:/none", "destination": "out.bin"}
    with pytest.raises(GuestFileMissingError):
        await build(yard, server, step)


async def test_a_restart_is_over_when_the_guest_has_started_anew(yard: Yard, server: WsmanServer) -> None:
    check = "echo it is back"
    await build(yard, server, {"type": "windows-restart", "restart_check_command": check})
    assert server.windows.started == 2
    assert b"it is back" in yard.work.output
    server.windows.restarts = False
    with pytest.raises(ProvisionError, match="did not restart within 2 s"):
        await build(yard, server, {"type": "windows-restart", "restart_timeout": "2s"})


async def test_a_guest_is_waited_for_and_a_wrong_password_is_said(
    yard: Yard, server: WsmanServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_PAUSE", 0.05)
    server.windows.silent = 5
    await build(yard, server)
    assert yard.work.states["Wait for WinRM"] == "done"
    server.windows.silent = 10**6
    with pytest.raises(GuestSilentError, match="within 1 s"):
        await build(yard, server, winrm_timeout="1s")
    server.windows.silent = 0
    monkeypatch.setattr(waiting.wait_for_winrm, "__kwdefaults__", {"grace": 0.2})
    with pytest.raises(KeyRefusedError) as caught:
        await build(yard, server, winrm_password="another secret")
    assert "another secret" not in f"{caught.value.problem}{yard.work.output!r}{yard.work.notes}"


async def test_the_password_is_shown_nowhere(yard: Yard, server: WsmanServer) -> None:
    password = server.windows.password
    await build(yard, server, {"type": "windows-shell", "inline": [f"echo it is {password}"]})
    assert b"it is <sensitive>" in yard.work.output
    assert password.encode() not in yard.work.output


async def test_a_command_that_takes_too_long_or_is_cancelled_is_ended(
    guest: WinrmGuest, server: WsmanServer
) -> None:
    said = bytearray()
    with pytest.raises(CommandTimeoutError):
        await guest.run("wait", stdout=said.extend, timeout=0.5)
    running = asyncio.create_task(guest.run("wait", stdout=said.extend))
    while said.count(b"waiting") < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert server.actions.count("Signal") >= 2
    assert server.windows.shells == set()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"type": "shell", "inline": ["true"]}, "shell of Unix"),
        ({"type": "powershell", "inline": ["a"], "elevated_password": "x"}, "elevated_user"),
        ({"type": "powershell", "inline": ["a"], "execution_policy": "none"}, "execution_policy"),
        ({"type": "windows-shell", "inline": ["a"], "environment_vars": ['A="']}, "quote"),
        ({"type": "windows-shell"}, "one of inline"),
        ({"type": "windows-restart", "restart_timeout": 5}, "unit"),
    ],
)
async def test_what_cannot_be_in_windows_is_refused(
    yard: Yard, server: WsmanServer, step: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        await build(yard, server, step)
    assert said in str(caught.value)


async def test_steps_of_windows_need_windows(yard: Yard, server: WsmanServer) -> None:
    with pytest.raises(BoxwrightError, match="needs a guest"):
        await build(yard, server, {"type": "windows-shell", "inline": ["a"]}, communicator="none")
    for more in ({"winrm_password": ""}, {"winrm_host": ""}, {"winrm_username": ""}):
        with pytest.raises(ConfigError, match=next(iter(more))):
            await build(yard, server, **more)
