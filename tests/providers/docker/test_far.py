"""Daemons elsewhere: over TLS, and through ssh."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.guests.connecting import connect
from core.guests.errors import ConnectionLostError
from core.model.machine import Endpoint, MachineState
from core.providers.docker import DockerProvider
from core.providers.docker.address import Address
from tests.providers.bench import Machine
from tests.providers.docker.bench import DockerPlans
from tests.support.dockerd import Dockerd
from tests.support.sshd import Sshd

pytestmark = pytest.mark.real


@pytest.fixture
def tls(daemon: Dockerd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    monkeypatch.setenv("DOCKER_HOST", daemon.far)
    monkeypatch.setenv("DOCKER_CERT_PATH", str(daemon.certificates))
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    yield Address(daemon.far, str(daemon.certificates))


@pytest.fixture
async def by_ssh(daemon: Dockerd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sshd]:
    """A real SSH server on this computer, where ``docker`` finds the daemon; and what ``ssh`` knows of it."""
    server = Sshd(tmp_path / "far")
    server.first = f"SetEnv HOME={server.home} DOCKER_HOST={daemon.url}"
    config = tmp_path / "config"
    config.write_text(
        f"Host far\n  HostName 127.0.0.1\n  IdentityFile {server.client_key}\n"
        f"  UserKnownHostsFile {server.known_hosts}\n  StrictHostKeyChecking accept-new\n"
    )
    # OpenSSH finds its settings by the account, not by the variable HOME: a wrapper names them, and no more.
    script = tmp_path / "ssh"
    script.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", f"ssh://{server.endpoint.user}@far:{server.port}")
    await server.started()
    yield server
    server.stop()


async def _lives(folder: Path, address: Address) -> None:
    """A machine is made, entered with input that ends, and removed."""
    provider = DockerProvider()
    probe = await provider.probe()
    assert probe.usable, probe.why
    plans = DockerPlans(folder)

    class There:
        pass

    there = There()
    there.provider = provider  # type: ignore[attr-defined]
    machine = Machine(there, plans.make(options={"communicator": "exec"}))  # type: ignore[arg-type]
    await machine.create()
    began = await provider.start(machine.plan, machine.work())
    assert began.ssh_host == str(address)
    endpoint = Endpoint(
        host=began.ssh_host, port=0, user="", communicator=began.communicator, target=began.target
    )
    guest = await connect(endpoint)
    text, said = os.urandom(1 << 20), bytearray()
    async with asyncio.timeout(60):
        ran = await guest.run("wc -c; echo after; exit 5", stdin=text, stdout=said.extend)
    assert (ran.status, bytes(said)) == (5, b"1048576\nafter\n")
    await guest.close()
    assert await machine.state() is MachineState.RUNNING
    await machine.destroy()
    await provider.close()


async def test_a_machine_lives_at_a_daemon_over_tls(tls: Address, short_folder: Path) -> None:
    await _lives(short_folder, tls)


async def test_where_a_machine_is_to_be_is_asked_there(
    tls: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the daemon that the environment names."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    provider = DockerProvider()
    assert not (await provider.probe()).usable
    there = {"host": tls.url, "certificates": tls.certificates}
    assert (await provider.probe(there)).usable
    assert not (await provider.probe({"host": f"unix://{tmp_path}/other.sock"})).usable


async def test_a_machine_lives_at_a_daemon_through_ssh(by_ssh: Sshd, short_folder: Path) -> None:
    await _lives(short_folder, Address(os.environ["DOCKER_HOST"]))
    by_ssh.stop()
    probe = await DockerProvider().probe()
    assert not probe.usable
    assert "refused" in probe.why.lower()


async def test_what_is_wrong_with_certificates_is_said(
    tls: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    probe = await DockerProvider().probe()
    assert not probe.usable
    assert "ca.pem is missing" in probe.why
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_bytes((Path(tls.certificates) / name).read_bytes())
    (tmp_path / "ca.pem").write_bytes((tmp_path / "cert.pem").read_bytes())
    probe = await DockerProvider().probe()
    assert not probe.usable
    assert "TLS" in probe.why


async def test_ssh_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "ssh"
    script.write_text("#!/bin/sh\necho 'ssh: Could not resolve hostname far' >&2\nexit 255\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ConnectionLostError, match="Could not resolve"):
        await connect(Endpoint(host="ssh://far", port=0, user="", communicator="docker", target="a"))
