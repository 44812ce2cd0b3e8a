"""Keys, provisioners, folders and transfers through the engine's handlers."""

from __future__ import annotations

from pathlib import Path

from core.guests import insecure
from core.model import command
from core.model.machine import MachineState
from core.model.operation import StepState
from tests.handlers.conftest import House

SCRIPTS = """
[[machines.web.provision]]
name = "first"
shell = "echo one >> ~/ran"
privileged = false
[[machines.web.provision]]
name = "second"
shell = "echo two >> ~/ran; test -e ~/good"
privileged = false
[[machines.web.provision]]
name = "always"
shell = "echo always >> ~/ran"
privileged = false
run = "always"
[[machines.web.provision]]
name = "asked"
shell = "echo asked >> ~/ran"
privileged = false
run = "never"
"""


def ran(house: House) -> list[str]:
    return (house.sshd.home / "ran").read_text().split()


async def test_provisioners_run_when_they_are_due(house: House) -> None:
    (house.sshd.home / "good").touch()
    house.write(SCRIPTS)
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    assert ran(house) == ["one", "two", "always"]
    await house.do(command.Reload(machine=house.web))
    assert ran(house)[3:] == ["always"]
    await house.do(command.Provision(machine=house.web))
    assert ran(house)[4:] == ["one", "two", "always"]
    await house.do(command.Provision(machine=house.web, only=("asked",)))
    assert ran(house)[7:] == ["asked"]
    await house.do(command.Reload(machine=house.web, provision=False))
    assert ran(house)[8:] == []


async def test_a_failed_provisioner_keeps_the_machine_and_the_next_up_goes_on_from_it(house: House) -> None:
    house.write(SCRIPTS)
    failed = await house.do(command.Up(machine=house.web))
    assert failed.state is StepState.FAILED
    assert failed.problem is not None
    assert "--start-at 2" in failed.problem.remedy
    assert house.machine().state is MachineState.RUNNING
    assert not house.machine().provisioned
    (house.sshd.home / "good").touch()
    again = await house.do(command.Up(machine=house.web))
    assert again.state is StepState.DONE, again.problem
    assert ran(house) == ["one", "two", "two", "always"]
    assert house.machine().provisioned


async def test_the_well_known_key_is_replaced_by_a_fresh_one(house: House) -> None:
    house.sshd.authorize(insecure.ED25519_PUBLIC, insecure.RSA_PUBLIC)
    toml = house.root / "boxwright.toml"
    toml.write_text("\n".join(line for line in toml.read_text().splitlines() if "identity" not in line))
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    assert house.steps(done)["Replace the well-known key"].state is StepState.DONE
    (line,) = house.sshd.authorized()
    assert line.split()[1] not in (insecure.ED25519_PUBLIC.split()[1], insecure.RSA_PUBLIC.split()[1])
    endpoint = house.machine().endpoint
    assert endpoint is not None
    key = Path(endpoint.identity)
    assert key.stat().st_mode & 0o777 == 0o600
    again = await house.do(command.Reload(machine=house.web))
    assert "Replace the well-known key" not in house.steps(again)


async def test_folders_are_copied_on_up_and_on_provision(house: House) -> None:
    (house.root / "code").mkdir()
    (house.root / "code" / "main.py").write_text("1")
    target = house.sshd.folder / "copy"
    house.write(f'folders = [{{ host = "code", guest = "{target}" }}]\n')
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    assert (target / "main.py").read_text() == "1"
    (house.root / "code" / "main.py").write_text("2")
    await house.do(command.Provision(machine=house.web))
    assert (target / "main.py").read_text() == "2"


async def test_upload_and_download(house: House, tmp_path: Path) -> None:
    await house.do(command.Up(machine=house.web))
    source = tmp_path / "data"
    source.write_bytes(bytes(range(256)) * 1000)
    there, back = house.sshd.folder / "there", tmp_path / "back"
    up = await house.do(command.Upload(machine=house.web, source=str(source), target=str(there)))
    assert up.state is StepState.DONE, up.problem
    down = await house.do(command.Download(machine=house.web, source=str(there), target=str(back)))
    assert down.state is StepState.DONE, down.problem
    assert back.read_bytes() == source.read_bytes()
