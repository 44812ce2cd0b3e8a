"""Steps that fail, hang or restart the guest on real QEMU, and machines that are left as they are.

All builds of the module share their layers: the guest is booted once.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.builds import kept
from core.builds.asking import Question
from core.builds.base import Request
from core.builds.undo import remove_kept
from core.errors import BoxwrightError
from core.model.work import Work
from tests.builds.test_process import alive
from tests.builds.test_qemu_builds import SOURCE
from tests.builds.yard import Yard

pytestmark = pytest.mark.real

CLEANING = 'error-cleanup-provisioner "shell" { inline = ["touch /tmp/cleaned"] }'
FAILING = 'provisioner "shell" { inline = ["touch /tmp/begun", "exit 3"] }\n'


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="f"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def yard(home: Path, tiny_image: Path) -> Iterator[Yard]:
    """Each test takes back what it began."""
    made = Yard(home)
    shutil.rmtree(made.folder)
    made.folder.mkdir()
    made.write("source.pkr.hcl", SOURCE.format(image=tiny_image))
    yield made
    assert alive(home) == []


def describe(yard: Yard, steps: str) -> None:
    yard.write("build.pkr.hcl", f'build {{\n  sources = ["qemu.tiny"]\n{steps}\n}}\n')


async def left_machine(
    yard: Yard, request: Request, said: str, files: tuple[str, ...] = (), **more: object
) -> str:
    """The build fails, in those files, and says how the machine is reached; what is in its /tmp, by that very
    command."""
    with pytest.raises(BoxwrightError) as caught:
        await yard.build(request=request, **more)  # type: ignore[arg-type]
    problem = caught.value.problem
    assert "was left as it is" in problem.why and said in problem.why
    assert problem.files == files
    reach, _, clearing = problem.remedy.partition("; ")
    assert clearing == "boxwright layer prune --kept removes it"
    left = kept.find(yard.locations.builds, str(yard.folder), "yard")
    assert left is not None and left.endpoint is not None, "a front end may open a shell in it"
    assert f"-p {left.endpoint.port} " in reach
    await yard.work.undo()
    assert alive(yard.locations.data.parent), "it runs on after everything was taken back that is to be"
    options = "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    command = [*reach.replace("ssh ", f"ssh {options} ", 1).split(), "ls /tmp"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert await remove_kept(yard.locations.builds) == 1
    assert alive(yard.locations.data.parent) == [] and await yard.left() == []
    return ran.stdout


async def test_abort_leaves_the_machine_and_says_how_to_clear_up(yard: Yard) -> None:
    describe(yard, FAILING + CLEANING)
    there = await left_machine(yard, Request(on_error="abort"), "It ended with exit status 3.")
    assert "begun" in there and "cleaned" not in there


async def test_run_cleanup_provisioner_runs_that_and_leaves_the_machine(yard: Yard) -> None:
    describe(yard, FAILING + CLEANING)
    there = await left_machine(yard, Request(on_error="run-cleanup-provisioner"), "exit status 3")
    assert "begun" in there and "cleaned" in there


async def test_who_is_asked_may_keep_the_machine(yard: Yard) -> None:
    yard.write("broken.sh", "touch /tmp/begun\nexit 3\n")
    describe(yard, 'provisioner "shell" { script = "broken.sh" }')
    files = (str(yard.folder / "broken.sh"),)

    async def ask(question: Question, work: Work) -> str:
        assert set(question.answers) == {"retry", "keep", "clean", "abort"}
        assert question.files == files
        return "keep"

    there = await left_machine(yard, Request(on_error="ask"), "exit status 3", files, ask=ask)
    assert "begun" in there


async def test_a_guest_is_tried_again_waited_for_restarted_and_not_waited_for_for_ever(yard: Yard) -> None:
    describe(
        yard,
        """
        provisioner "shell" {
          max_retries = 1
          inline      = ["test -e /tmp/tried || { touch /tmp/tried; exit 1; }", "cat BOOT"]
        }
        provisioner "shell" {
          expect_disconnect = true
          inline            = ["sudo reboot", "sleep 60"]
        }
        provisioner "shell" {
          pause_before = "500ms"
          inline       = ["cat BOOT"]
        }
        provisioner "shell" {
          timeout = "2s"
          inline  = ["sleep 600"]
        }
        """.replace("BOOT", "/proc/sys/kernel/random/boot_id"),
    )
    with pytest.raises(BoxwrightError, match="took longer than 2 s"):
        await yard.build()
    states = [state for name, state in yard.work.states.items() if name.startswith("Provision ")]
    assert states == ["done", "done", "done", "failed"]
    said = yard.work.output.decode().splitlines()
    assert any("Trying again." in line for line in said)
    assert len({line for line in said if line.count("-") == 4}) == 2, "it was booted between"
    assert "pausing for 0.5 s" in yard.work.notes
    assert await yard.left() == []
