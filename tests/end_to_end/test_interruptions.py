"""What happens in the middle of things: Ctrl-C, two front ends at once, an engine that hangs or is killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.workshop import PROGRAM, Workshop, interrupt, read_until, until
from tests.support import leftovers
from tests.support.tmux import Tmux

pytestmark = pytest.mark.real

PROJECT = """
[machines.web]
box = "tiny"
memory = "160MiB"
[[machines.web.provision]]
name = "hang"
run = "never"
shell = "echo it hangs; sleep 4321 & sleep 4321"
[machines.other]
box = "tiny"
memory = "160MiB"
autostart = false
"""


@pytest.fixture(scope="module")
def shop(folder: Path, tiny_box: Path) -> Iterator[Workshop]:
    """A project whose first machine is up, with a snapshot that brings it back within a second."""
    shop = Workshop(folder)
    shop.describe(PROJECT)
    shop.run("box", "add", str(tiny_box), "--name", "tiny")
    shop.run("up", "web")
    shop.run("snapshot", "save", "base")
    yield shop
    shop.close()


@pytest.fixture(autouse=True)
def running(shop: Workshop) -> None:
    """The first machine runs at the beginning of each test, and the second is not there."""
    if shop.state() != "running":
        shop.run("snapshot", "restore", "base", "--yes")
    assert shop.state("other") == "not created"


def strays(shop: Workshop) -> list[str]:
    """Machines' processes and folders that belong to nothing but the first machine."""
    known = shop.machine()["id"]
    processes = [left.command for left in leftovers.processes(shop.home) if "qemu-system" in left.command]
    folders = [path.name for path in (shop.home / "machines").iterdir()]
    return [text for text in (*processes, *folders) if known not in text]


def last_operation(shop: Workshop) -> dict[str, Any]:
    operation = shop.json("ops", "--limit", "1")["operations"][0]
    assert isinstance(operation, dict)
    return operation


def test_ctrl_c_takes_back_an_up(shop: Workshop) -> None:
    with shop.begun("up", "other") as process:
        read_until(process, "Wait for SSH")
        interrupt(process)
        said = read_until(process, "cancelled")
        assert process.wait(60) == 130
    assert "Ctrl-C again lets go" in said
    assert shop.state("other") == "not created"
    assert strays(shop) == []


def test_ctrl_c_twice_lets_go_and_the_engine_finishes(shop: Workshop) -> None:
    with shop.begun("up", "other") as process:
        read_until(process, "Linked clone")
        interrupt(process)
        read_until(process, "Cancelling")
        interrupt(process)
        assert process.wait(60) == 130
    until(lambda: last_operation(shop)["state"] == "cancelled", "the end of the undoing")
    assert shop.state("other") == "not created"
    assert strays(shop) == []


def test_an_operation_outlives_a_front_end_that_is_killed(shop: Workshop) -> None:
    with shop.begun("up", "other") as process:
        read_until(process, "Wait for SSH")
        process.kill()
    until(lambda: last_operation(shop)["state"] == "done", "the end of the up")
    assert shop.inside("id -un", "other") == "vagrant"
    shop.run("destroy", "other", "--yes", "--purge")


def test_ctrl_c_leaves_even_an_engine_that_hangs(shop: Workshop) -> None:
    engine = shop.engine()
    with shop.begun("provision", "web", "--only", "hang") as process:
        read_until(process, "it hangs")
        os.kill(engine, signal.SIGSTOP)
        try:
            for _ in range(3):
                interrupt(process)
                threading.Event().wait(0.3)
            read_until(process, "does not answer")
            assert process.wait(20) == 130
        finally:
            os.kill(engine, signal.SIGCONT)
    operation = last_operation(shop)
    if operation["state"] == "running":
        shop.run("ops", "cancel", operation["id"])
    until(lambda: last_operation(shop)["state"] == "cancelled", "the end of the provisioner")


def test_ctrl_c_ends_a_provisioner_that_hangs(shop: Workshop) -> None:
    with shop.begun("provision", "web", "--only", "hang") as process:
        read_until(process, "it hangs")
        interrupt(process)
        assert process.wait(60) == 130
    assert shop.inside("ps | grep -c '[s]leep 4321' || true") == "0"
    assert shop.state() == "running"


def test_opposite_commands_from_two_front_ends(shop: Workshop) -> None:
    with shop.begun("halt", "web", "--force") as halting, shop.begun("up", "web") as upping:
        said = [read_until(process, "\n") for process in (halting, upping)]
        codes = [halting.wait(120), upping.wait(120)]
    assert codes == [0, 0], said
    two = shop.json("ops", "--limit", "2")["operations"]
    assert {each["command"] for each in two} == {"machine.halt", "machine.up"}
    first, second = sorted(two, key=lambda each: str(each["started"]))
    assert first["ended"] <= second["started"], "they ran at the same time"
    ends = "running" if second["command"] == "machine.up" else "stopped"
    assert shop.state() == ends


def test_who_waits_is_told_for_whom(shop: Workshop) -> None:
    with shop.begun("provision", "web", "--only", "hang") as hanging:
        read_until(hanging, "it hangs")
        with shop.begun("suspend", "web") as waiting:
            said = read_until(waiting, "provision")
            assert "web" in said
            machine = shop.machine()
            assert machine["holder"]["action"].startswith("provision")
            assert len(machine["waiting"]) == 1
            assert shop.inside("echo still reachable") == "still reachable"
            interrupt(waiting)
            assert waiting.wait(60) == 130
        interrupt(hanging)
        assert hanging.wait(60) == 130
    assert shop.state() == "running"


def test_an_engine_that_was_killed_is_followed_by_one_that_knows_its_machines(shop: Workshop) -> None:
    pid, engine = shop.pid(), shop.engine()
    shop.inside("echo kept | sudo tee /run/kept")
    os.kill(engine, signal.SIGKILL)
    assert shop.state() == "running"
    assert shop.engine() != engine
    assert (shop.pid(), shop.inside("cat /run/kept")) == (pid, "kept")
    assert [point["name"] for point in shop.json("snapshot", "list")["snapshots"]] == ["base"]


@pytest.fixture
def terminal(folder: Path) -> Iterator[Tmux]:
    made = Tmux(folder)
    yield made
    made.close()


def test_consoles_of_the_workbench_go_on_when_the_engine_is_killed(
    shop: Workshop, terminal: Tmux, tmp_path: Path
) -> None:
    place = ["env", "-C", str(shop.project), str(PROGRAM)]
    terminal.start(place, BOXWRIGHT_HOME=str(shop.home))
    written = tmp_path / "written"
    terminal.run("pipe-pane", "-o", f"cat > {written}")
    terminal.wait_for("1 running")

    def answers(word: str) -> None:
        terminal.wait_for("every other key")
        terminal.run("send-keys", "-l", f"echo {word}-$((40+2))")
        terminal.press("Enter")
        terminal.wait_for(f"{word}-42")
        terminal.press("C-]")
        terminal.wait_for("enter types")

    for number in (1, 2):
        terminal.press("s")
        terminal.wait_for(f"[Shell {number}]")
        answers(f"before{number}")
    engine = shop.engine()
    os.kill(engine, signal.SIGKILL)
    until(lambda: "no engine" in written.read_text(errors="replace"), "the news of its end")
    terminal.wait_for("1 running")
    terminal.press("Enter")
    answers("after2")
    terminal.press("[")
    terminal.wait_for("[Shell 1]")
    terminal.press("Enter")
    answers("after1")
    assert shop.engine() != engine
    terminal.press("q")
    terminal.wait_for_end()


def test_a_command_whose_engine_is_killed_is_taken_back_by_the_next(shop: Workshop) -> None:
    with shop.begun("up", "other") as process:
        read_until(process, "Wait for SSH")
        os.kill(shop.engine(), signal.SIGKILL)
        said = read_until(process, "The engine was lost")
        assert process.wait(60) != 0, said
    assert shop.state("other") == "not created"
    assert strays(shop) == []


def test_a_machine_killed_right_after_its_first_up_is_told_and_comes_up_again(shop: Workshop) -> None:
    shop.run("up", "other")
    os.kill(shop.pid("other"), signal.SIGKILL)
    until(lambda: shop.state("other") == "stopped", "the news of its end", 10)
    assert "killed" in shop.machine("other")["trouble"]
    assert "killed" in shop.run("status").out
    assert "boxwright up other" in shop.run("ssh", "other", "-c", "true", code=1).err
    shop.run("up", "other")
    assert (shop.inside("id -un", "other"), shop.machine("other")["trouble"]) == ("vagrant", "")
    shop.run("destroy", "other", "--yes", "--purge")


def test_a_machine_without_its_box_is_broken_and_says_what_to_do(shop: Workshop) -> None:
    """The last one: the box is gone afterwards."""
    shop.run("halt", "--force")
    for blob in (shop.home / "boxes").rglob("*"):
        if blob.is_file() and blob.stat().st_size > 1 << 20:
            blob.unlink()
    with pytest.raises(AssertionError) as failed:
        shop.run("up", "web")
    assert "boxwright destroy web" in str(failed.value)
    machine = shop.machine()
    assert machine["state"] == "broken"
    assert "gone" in machine["trouble"]
    assert machine["trouble"][:20] in shop.run("status").out
    shop.run("box", "verify", code=1)
    shop.run("destroy", "web", "--yes", "--purge")
    assert shop.state() == "not created"
