"""What is handed to the OpenSSH client is what OpenSSH understands."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from core.guests.openssh import split_extra, ssh_command, ssh_config
from core.guests.ssh import SshGuest
from core.model.machine import Endpoint
from tests.support.sshd import Sshd

ENDPOINT = Endpoint(host="127.0.0.1", port=2222, user="vagrant", identity="/m/id", known_hosts="/m/known")


def effective(argv: list[str]) -> dict[str, str]:
    """What OpenSSH makes of it (``ssh -G``), by lower-case option."""
    said = subprocess.run([argv[0], "-G", *argv[1:]], capture_output=True, text=True, timeout=20)
    assert said.returncode == 0, said.stderr
    return dict(line.split(" ", 1) for line in said.stdout.split("\n") if " " in line)


def test_the_configuration_is_accepted_by_openssh(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(ssh_config("web", ENDPOINT) + ssh_config("db", msgspec.structs.replace(ENDPOINT, port=9)))
    found = effective(["ssh", "-F", str(file), "web"])
    assert found["hostname"] == "127.0.0.1"
    assert found["port"] == "2222"
    assert found["user"] == "vagrant"
    assert found["identityfile"] == "/m/id"
    assert found["identitiesonly"] == "yes"
    assert found["userknownhostsfile"] == "/m/known"
    assert found["stricthostkeychecking"] == "true"
    assert found["ciphers"].startswith("aes128-gcm@openssh.com,")
    assert effective(["ssh", "-F", str(file), "db"])["port"] == "9"


# Without line breaks, which no configuration can hold, and without "${", which is refused.
NAMES = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f/$"), max_size=20
)


@settings(max_examples=60)
@given(NAMES)
def test_paths_of_any_name_reach_openssh_unchanged(name: str) -> None:
    path = f"/m/{name}x"
    found = effective(ssh_command(msgspec.structs.replace(ENDPOINT, identity=path, known_hosts=path)))
    # -G shows the file of known hosts quoted where it has blanks, and tokens not yet expanded.
    assert found["identityfile"].replace("%%", "%") == path
    assert found["userknownhostsfile"].replace("%%", "%").strip('"') == path.strip('"')


@pytest.mark.parametrize("path", ["/m/${HOME}/id", "/m/a\nProxyCommand evil"])
def test_paths_that_openssh_cannot_be_given_are_refused(path: str) -> None:
    with pytest.raises(UsageError):
        ssh_config("web", msgspec.structs.replace(ENDPOINT, identity=path))


def test_agent_forwarding_is_handed_on() -> None:
    assert effective(ssh_command(ENDPOINT))["forwardagent"] == "no"
    forwarding = msgspec.structs.replace(ENDPOINT, forward_agent=True)
    assert effective(ssh_command(forwarding))["forwardagent"] == "yes"


@pytest.mark.parametrize(
    ("extra", "options", "words"),
    [
        ([], [], []),
        (["ls", "-l"], [], ["ls", "-l"]),
        (["-L", "80:localhost:80", "-N"], ["-L", "80:localhost:80", "-N"], []),
        (["-v", "-o", "User=x", "ls", "-v"], ["-v", "-o", "User=x"], ["ls", "-v"]),
        (["-vL80:x:80", "ls"], ["-vL80:x:80"], ["ls"]),
        (["-vL", "80:x:80", "ls"], ["-vL", "80:x:80"], ["ls"]),
        (["-t", "--", "-odd"], ["-t"], ["-odd"]),
    ],
)
def test_extra_arguments_are_told_apart_as_ssh_does(
    extra: list[str], options: list[str], words: list[str]
) -> None:
    assert split_extra(extra) == (options, words)


async def ssh(argv: list[str], stdin: bytes = b"") -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(stdin), 20)
    assert process.returncode is not None
    return process.returncode, out


async def test_the_real_client_logs_in_with_the_pinned_key(guest: SshGuest, sshd: Sshd) -> None:
    """``guest`` has pinned the host key; the client checks against it."""
    argv = ssh_command(sshd.endpoint, command="echo 'a  b'; exit 7")
    assert await ssh(argv) == (7, b"a  b\n")
    assert await ssh(ssh_command(sshd.endpoint, command="cat"), b"in\xff") == (0, b"in\xff")
    assert await ssh(ssh_command(sshd.endpoint, extra=["-T", "echo", "x"])) == (0, b"x\n")
    assert (await ssh(ssh_command(sshd.endpoint, command="tty", tty=True)))[0] == 0
    assert (await ssh(ssh_command(sshd.endpoint, command="tty", tty=False)))[0] == 1


async def test_the_real_client_refuses_a_changed_host_key(guest: SshGuest, sshd: Sshd) -> None:
    sshd.stop()
    sshd.new_host_key()
    await sshd.started()
    status, said = await ssh(ssh_command(sshd.endpoint, command="true"))
    assert status == 255
    assert b"ost key verification failed" in said


async def test_the_configuration_logs_in_too(guest: SshGuest, sshd: Sshd, tmp_path: Path) -> None:
    file = tmp_path / "a config"
    file.write_text(ssh_config("web", sshd.endpoint))
    assert await ssh(["ssh", "-F", str(file), "web", "echo x"]) == (0, b"x\n")


def test_the_module_is_light() -> None:
    code = "import core.guests.openssh, sys; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, said.stderr
    assert not {"asyncssh", "asyncio", "cryptography"} & set(said.stdout.split())
