"""What there is to look at in the workbench: each scene leads from its start to one view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from core.errors import NotFoundError
from core.model.box import BoxKey
from core.model.machine import Endpoint, MachineState, Snapshot, Stats
from core.model.operation import Operation, StepState
from core.model.problem import Problem
from tests.support.fake_client import NOW, SHOP, FakeClient, machine, up
from tests.tui.conftest import Driver

Scene = Callable[[Driver], Awaitable[None]]

PROJECT = """\
# The shop, as it runs in production.
[project]
name = "shop"

[machines.web]
box = "debian/bookworm64"
cpus = 2
memory = "1GiB"
ports = [{ guest = 80, host = 8080 }]
folders = [{ host = ".", guest = "/srv/shop" }]

[[machines.web.provision]]
name = "setup"
shell = "apt-get update && apt-get install -y nginx"
"""
_HTOP = (
    b"\x1b[2J\x1b[H  CPU \x1b[32m[||||||||||||||             41.3%]\x1b[0m   Tasks: \x1b[36m38\x1b[0m\r\n"
    b"  Mem \x1b[34m[|||||||                218M/997M]\x1b[0m   Load: \x1b[1m0.42 0.31 0.12\x1b[0m\r\n\r\n"
    b"\x1b[30;42m  PID USER      PRI  NI  VIRT   RES S  CPU% MEM%  Command             \x1b[0m\r\n"
    b"\x1b[30;46m  412 www-data   20   0  9412  5120 S  21.0  0.5  nginx: worker       \x1b[0m\r\n"
    b"  398 root       20   0  8840  1764 S   0.0  0.2  nginx: master\r\n"
    b"    1 root       20   0  164M 10540 S   0.0  1.0  /sbin/init\r\n\r\n"
)


async def overview(driver: Driver) -> None:
    await driver.settle()


async def pulse(driver: Driver) -> None:
    used = 0.0
    for second in range(30):
        used += (second * 7 % 10) / 10
        driver.world.stats_of.append(
            Stats(
                time=float(second), cpu_seconds=used, memory=(300 + second * 9) << 20,
                disk_written=second * second * 40_000, net_received=second * 150_000, net_sent=second * 9_000,
            )
        )  # fmt: skip
    await driver.press("enter")
    while driver.world.stats_of:
        driver.bench.detail._tick()
        await driver.settle()
    await driver.wait_for("CPU")


async def box(driver: Driver) -> None:
    await driver.press("2", "down", "enter")
    await driver.wait_for("sha256")


async def build(driver: Driver) -> None:
    await driver.press("3", "enter")
    await driver.wait_for("The base of all machines")


async def question(driver: Driver) -> None:
    """A build that asks what to do about a failed step."""
    world = driver.world
    view = world.projects[SHOP]
    failure = Problem(
        what="The script setup.ps1 ended with status 1.",
        why="It was run by powershell.",
        tail=("Install-WindowsFeature : The source files could not be found.",),
    )
    asks = msgspec.structs.replace(
        view.builds[1], question="powershell: setup.ps1 failed", asked=NOW, failure=failure,
        endpoint=Endpoint(host="127.0.0.1", port=5985, user="packer", identity="", known_hosts=""),
        files=(f"{SHOP}/setup.ps1",),
        answers={
            "retry": "run this step again, with its script as it is now",
            "keep": "end the build and leave the machine running",
            "clean": "error-cleanup-provisioner, then remove the machine",
            "abort": "remove the machine at once",
        },
    )  # fmt: skip
    running = Operation(
        id="000009", command="build.run", title="build windows", subject=f"build:{SHOP}:windows",
        project=SHOP, state=StepState.RUNNING, submitted=NOW, started=NOW,
        command_line="boxwright build windows",
    )  # fmt: skip
    world.operation(running)
    world.project(msgspec.structs.replace(view, builds=(view.builds[0], asks)))
    await driver.wait_for("1 asks")
    await driver.press("3", "down", "a")
    await driver.wait_for("esc leaves it for later")


async def steps(driver: Driver) -> None:
    driver.world.log(
        "000001", b"".join(b"\x1b[32mGet:%d\x1b[0m Packages\r\n" % number for number in range(40)), 5
    )
    await driver.press("down", "enter")
    await driver.wait_for("Wait for SSH")


async def failure(driver: Driver) -> None:
    await driver.press("enter", "right_square_bracket")
    await driver.wait_for("Unable to locate")


async def log(driver: Driver) -> None:
    driver.world.log("000001", b"".join(b"line %03d of the output\n" % number for number in range(200)), 5)
    await driver.press("down", "l")
    await driver.wait_for("line 199")


async def log_search(driver: Driver) -> None:
    await log(driver)
    await driver.press("slash")
    await driver.type("19")
    await driver.press("enter")
    await driver.wait_for("of 12")


async def merged_log(driver: Driver) -> None:
    world = driver.world
    for number, name in ((2, "cache"), (3, "spare"), (4, "old")):
        world.operation(up(f"00000{number}", name, StepState.DONE))
        world.log(f"00000{number}", f"Hello from {name}\nAll of {name} is done\n".encode())
    world.log("000000", b"Reading package lists...\n\x1b[31mE: Unable to locate package nginxx\x1b[0m\n")
    world.log("000001", b"\x1b[32mGet:1\x1b[0m http://deb.example bookworm Packages\n", 5)
    await driver.settle()
    await driver.press("L")
    await driver.wait_for("Hello from old")
    await driver.wait_for("Packages")


async def operations(driver: Driver) -> None:
    driver.world.operation(up("000002", "cache", StepState.DONE))
    driver.world.operation(up("000003", "old", StepState.CANCELLED))
    driver.world.operation(up("000004", "web", StepState.WAITING, started=0.0, detail="db has it: up"))
    await driver.press("O")
    await driver.wait_for("CAME OF IT")


async def destroy(driver: Driver) -> None:
    await driver.press("d")
    await driver.wait_for("Goes")


async def counted(driver: Driver) -> None:
    await driver.press("asterisk", "d")
    await driver.wait_for("at once?")


async def progress(driver: Driver) -> None:
    await driver.press("asterisk", "h")
    await driver.wait_for("left out")


async def marked(driver: Driver) -> None:
    await driver.press("space", "down", "ctrl+@")
    await driver.wait_for("3 marked")


async def add_box(driver: Driver) -> None:
    await driver.press("2", "a")
    await driver.wait_for("box add SOURCE")


async def palette(driver: Driver) -> None:
    await driver.press("ctrl+p")
    await driver.type("snap")
    await driver.wait_for("snapshot save")


async def menu(driver: Driver) -> None:
    await driver.press("m")
    await driver.wait_for("type a part of a command's name")


async def prompt(driver: Driver) -> None:
    await driver.press("colon")
    await driver.type("sn")
    await driver.wait_for("snapshot")


async def help_page(driver: Driver) -> None:
    await driver.press("question_mark")
    await driver.wait_for("Shut the machine down")


async def tour(driver: Driver) -> None:
    await driver.press("f1")
    await driver.wait_for("brings the selected machine up")


async def themes(driver: Driver) -> None:
    await driver.press("T")
    await driver.press("down", "down")
    await driver.wait_for("enter keeps it")


async def filtered(driver: Driver) -> None:
    await driver.press("slash")
    await driver.type("!web")
    await driver.wait_for("4 of 5")


async def lost(driver: Driver) -> None:
    driver.world.end(NotFoundError("No engine runs."))
    await driver.wait_for("no engine")


async def snapshots(driver: Driver) -> None:
    kept = (
        Snapshot(name="fresh", created=NOW - 86_400 * 3),
        Snapshot(name="with nginx", created=NOW - 7_200, parent="fresh", size=212 << 20),
        Snapshot(name="before the upgrade", created=NOW - 600, parent="with nginx", current=True),
        Snapshot(name="experiment", created=NOW - 3_600, parent="fresh"),
    )
    driver.world.machine(machine("web", snapshots=kept))
    await driver.press("enter")
    driver.bench.detail.activate("snapshots")
    driver.bench.focus_detail()
    await driver.wait_for("before the upgrade")


def _project_file(world: FakeClient) -> None:
    """One that can be read, by a name that is the same everywhere: the test runs in a folder of its own."""
    file = Path("shop/boxwright.toml")
    file.parent.mkdir(exist_ok=True)
    file.write_text(PROJECT, encoding="utf-8")
    world.project(msgspec.structs.replace(world.projects[SHOP], file=str(file)))


async def config(driver: Driver) -> None:
    _project_file(driver.world)
    await driver.press("enter")
    driver.bench.detail.activate("config")
    driver.bench.focus_detail()
    await driver.wait_for("apt-get install -y nginx")


async def editing(driver: Driver) -> None:
    await config(driver)
    await driver.press("e")
    await driver.wait_for("ctrl+s writes it")
    await driver.press("down", "down", "end")


async def serial(driver: Driver) -> None:
    await driver.press("c")
    await driver.wait_for("serial of web")
    driver.world.serials[-1]._queue.put_nowait(_HTOP + b"vagrant@web:~$ ")
    await driver.wait_for("vagrant@web")


async def split(driver: Driver) -> None:
    driver.world.machine(machine("db"))
    await serial(driver)
    await driver.press("ctrl+right_square_bracket", "escape", "1", "down", "c")
    await driver.wait_for("serial of db")
    driver.world.serials[-1]._queue.put_nowait(b"$ systemctl is-system-running\r\nrunning\r\n$ ")
    await driver.wait_for("is-system")
    await driver.press("ctrl+right_square_bracket", "vertical_line")
    await driver.wait_for("is-system")


async def box_removed(driver: Driver) -> None:
    key = BoxKey("debian/bookworm64", "12.5", "qemu", "amd64")
    assert str(key) in driver.world.boxes
    await driver.press("2", "down", "d")
    await driver.wait_for("Goes")


async def waiting_for_ssh(driver: Driver) -> None:
    """The serial console's end beside it."""
    world = driver.world
    world.machine(machine("db", MachineState.STARTING, holder=world.machines[f"{SHOP}:db"].holder))
    waiting = msgspec.structs.replace(
        world.steps["000001"][4], state=StepState.RUNNING, ended=0.0, detail="process up · port open 4.8 s"
    )
    world.step(waiting)
    for number in (5, 6):
        world.step(
            msgspec.structs.replace(world.steps["000001"][number], state=StepState.WAITING, started=0.0)
        )
    await driver.press("down", "enter")
    await driver.wait_for("port open 4.8 s")
    driver.bench.detail._tick()
    await driver.wait_for("Run /init")


async def wizard(driver: Driver) -> None:
    driver.bench.lists.everywhere = False
    driver.app.bridge.project = ""
    await driver.press("n")
    await driver.wait_for("Where?")
    await driver.press("enter")
    await driver.wait_for("New project")
    for name, value in (("folder", "/home/ada/wiki"), ("project", "wiki"), ("name", "web")):
        driver.app.screen.query_one(f"#field-{name}").value = value
    await driver.settle()


async def wizard_file(driver: Driver) -> None:
    from tui.dialogs.base import Buttons

    await wizard(driver)
    driver.app.screen.query_one("#field-box").focus()
    await driver.press("enter")
    await driver.wait_for("a part of its name")
    await driver.type("debian")
    await driver.press("enter")
    await driver.wait_for("New project")
    driver.app.screen.query_one(Buttons).focus()
    await driver.press("enter")
    await driver.wait_for("[machines.web]")


SCENES: list[Scene] = [
    overview, pulse, box, build, question, steps, waiting_for_ssh, failure, log, log_search, merged_log,
    operations, destroy, counted, progress, marked, add_box, box_removed, palette, menu, prompt, help_page,
    tour, themes, filtered, lost, snapshots, config, editing, serial, split, wizard, wizard_file,
]  # fmt: skip
