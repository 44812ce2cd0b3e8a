"""``boxwright status`` and ``global-status`` beside Vagrant's, in one run.

    python -m benchmarks.status [--runs N]

Both tools have a project with a created machine and one that is not created. Vagrant's is a libvirt domain
(driver qemu), which is defined for this and removed again; without libvirt its two machines are not created,
which flatters Vagrant. Boxwright's machine is a record in the journal of an engine that runs. The runs
alternate, so that whatever else the computer does meets both alike; the medians are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WANTED = {"status": 15.0, "global-status": 8.0}
"""How many times as fast as Vagrant each must be."""

_DOMAIN = "boxwright_benchmark_web"
_LIBVIRT = "qemu:///system"
_VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  ["web", "db"].each do |name|
    config.vm.define(name) { |machine| machine.vm.box = "tiny" }
  end
end
"""
_PROJECT = '[project]\nname = "bench"\n[machines.web]\nbox = "tiny"\n[machines.db]\nbox = "tiny"\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=11, help="runs of each command")
    options = parser.parse_args()
    if shutil.which("vagrant") is None:
        print("There is no vagrant here: apt-get install vagrant vagrant-libvirt", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="bwb-"))
    try:
        with vagrant(folder / "vagrant") as theirs, boxwright(folder / "boxwright") as ours:
            return compare(theirs, ours, options.runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Call = Callable[[str], str]
"""Runs a command of one tool and returns what it printed."""


def compare(theirs: Call, ours: Call, runs: int) -> int:
    """Prints a table; 1 where a ratio is missed."""
    code = 0
    print(f"{'command':<15}{'vagrant':>10}{'boxwright':>11}{'ratio':>8}{'wanted':>8}")
    for command, wanted in WANTED.items():
        times: dict[Call, list[float]] = {theirs: [], ours: []}
        for call in times:
            call(command)
        for _ in range(runs):
            for call, taken in times.items():
                begin = time.perf_counter()
                call(command)
                taken.append(time.perf_counter() - begin)
        one, two = (statistics.median(taken) for taken in times.values())
        print(f"{command:<15}{one * 1000:>7.0f} ms{two * 1000:>8.0f} ms{one / two:>8.1f}{wanted:>8.0f}")
        code |= one / two < wanted
    return int(code)


@contextmanager
def vagrant(folder: Path) -> Iterator[Call]:
    """A Vagrant project in a home of its own."""
    project, home = folder / "project", folder / "home"
    project.mkdir(parents=True)
    (project / "Vagrantfile").write_text(_VAGRANTFILE)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "VAGRANT_HOME": str(home),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_DEFAULT_PROVIDER": "libvirt",
    }

    def call(command: str) -> str:
        return run(["vagrant", command], project, environment)

    call("status")
    domain = define_domain(folder)
    try:
        if domain:
            remember(project, home, domain)
        assert "web" in call("status")
        assert not domain or "shutoff" in call("status")
        print(f"Vagrant's machine: {'a libvirt domain' if domain else 'none (no libvirt here)'}")
        yield call
    finally:
        if domain:
            subprocess.run(["virsh", "-q", "-c", _LIBVIRT, "undefine", domain], check=False)


def define_domain(folder: Path) -> str:
    """The id of a new domain; "" where libvirt is not there."""
    name = f"{_DOMAIN}_{os.getpid()}"
    definition = folder / "domain.xml"
    definition.write_text(
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64'>hvm</type></os></domain>"
    )
    try:
        subprocess.run(
            ["virsh", "-q", "-c", _LIBVIRT, "define", str(definition)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run(["virsh", "-q", "-c", _LIBVIRT, "domuuid", name], folder, dict(os.environ)).strip()


def remember(project: Path, home: Path, domain: str) -> None:
    """What ``vagrant up`` would have written of the machine."""
    data = project / ".vagrant" / "machines" / "web" / "libvirt"
    data.mkdir(parents=True, exist_ok=True)
    entry = uuid.uuid4().hex
    for name, text in (("id", domain), ("creator_uid", str(os.getuid())), ("index_uuid", entry)):
        (data / name).write_text(text)
    index = home / "data" / "machine-index" / "index"
    index.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "local_data_path": str(project / ".vagrant"),
        "name": "web",
        "provider": "libvirt",
        "state": "shutoff",
        "vagrantfile_name": None,
        "vagrantfile_path": str(project),
        "updated_at": None,
        "extra_data": {},
    }
    index.write_text(json.dumps({"version": 1, "machines": {entry: machine}}))


@contextmanager
def boxwright(folder: Path) -> Iterator[Call]:
    """A Boxwright project in a home of its own, with an engine that runs."""
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "boxwright.toml").write_text(_PROJECT)
    (folder / "run").mkdir(mode=0o700)
    environment = {
        **os.environ,
        "BOXWRIGHT_HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
    }
    program = str(Path(sys.executable).with_name("boxwright"))

    def call(command: str) -> str:
        return run([program, *command.split()], project, environment)

    record_machine(folder, project)
    call("engine status")
    try:
        call("status")
        deadline = time.monotonic() + 20
        while "web" not in call("global-status") and time.monotonic() < deadline:
            time.sleep(0.1)
        print("Boxwright's machine:", next(line for line in call("status").splitlines() if "web" in line))
        yield call
    finally:
        call("engine stop")


def record_machine(folder: Path, project: Path) -> None:
    """A created machine in the journal, as an earlier engine would have left it."""
    from core.engine.journal import Journal
    from core.engine.records import MachineRecord
    from core.model.box import BoxKey
    from core.model.machine import MachineKey, MachinePlan
    from core.paths import Locations

    where = Locations(data=folder / "home", runtime=folder / "run" / "x").prepare()
    id = uuid.uuid4().hex[:12]
    plan = MachinePlan(
        id=id,
        key=MachineKey(str(project.resolve()), "web"),
        folder=str(where.machine(id)),
        runtime=str(where.machine_runtime(id)),
        disks=(),
    )
    journal = Journal(where.journal)
    journal.save_machine(
        MachineRecord(plan=plan, provider="qemu", project_name="bench", box=BoxKey("tiny", "1", "qemu"))
    )
    journal.close()


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
