"""Containers beside `docker run` of the same image, and ten at once beside one.

    python -m benchmarks.on_docker [--rounds N]

A daemon of its own, in turns. Bars: ``up`` to a container in which a command has run at most 0.3 s over
``docker run -d`` and ``docker exec`` by hand; ten machines in parallel at most three times one. Exit status 1
where one is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.cores import Cores
from tests.support.dockerd import Dockerd

OVER = 0.3
TIMES = 3.0
MANY = 10

PROGRAM = Path(sys.executable).with_name("boxwright")

PROJECT = """
[project]
name = "bench"
provider = "docker"
"""

MACHINE = """
[machines.{name}]
box = {{ image = "tiny:1" }}
memory = "64MiB"
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not shutil.which("docker") or not shutil.which("dockerd"):
        print("There is no Docker here: apt-get install docker.io", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="bw-d-", dir="/tmp"))
    daemon = Dockerd(folder / "d")
    daemon.folder.mkdir()
    try:
        daemon.start()
        daemon.load("tiny:1", changes=('CMD ["/bin/sh"]',))
        return _compare(daemon, folder, options.rounds)
    finally:
        daemon.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _compare(daemon: Dockerd, folder: Path, rounds: int) -> int:
    names = [f"m{number}" for number in range(MANY)]
    project = folder / "project"
    project.mkdir()
    text = PROJECT + "".join(MACHINE.format(name=name) for name in ("one", *names))
    (project / "boxwright.toml").write_text(text)
    environment = {**os.environ, "BOXWRIGHT_HOME": str(folder / "home"), "DOCKER_HOST": daemon.url}

    def run(*words: str) -> None:
        done = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")

    def ours(*words: str) -> None:
        run(str(PROGRAM), *words)

    def by_hand(name: str = "hand") -> None:
        run("docker", "run", "-d", "-i", "-t", "-m", "64m", "--network", "hand", "--name", name, "tiny:1")
        run("docker", "exec", name, "true")

    def many_by_hand() -> None:
        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(by_hand, names))

    ones, manies, hands, many_hands = [], [], [], []
    used, used_by_hand = Cores(folder), Cores(folder)
    ours("status")
    run("docker", "network", "create", "hand")
    try:
        for _ in range(rounds):
            hands.append(_timed(by_hand))
            run("docker", "rm", "-f", "hand")
            many_hands.append(used_by_hand.during(lambda: _timed(many_by_hand)))
            run("docker", "rm", "-f", *names)
            ones.append(_timed(lambda: ours("up", "one")))
            ours("destroy", "--yes", "one")
            manies.append(used.during(lambda: _timed(lambda: ours("up", *names))))
            ours("destroy", "--yes", *names)
    finally:
        run("docker", "network", "rm", "hand")
        ours("engine", "stop", "--force", "--yes")
    used.report(f"up of {MANY}", rounds)
    used_by_hand.report(f"{MANY} by hand", rounds)
    return _report(*map(statistics.median, (ones, hands, manies, many_hands)))


def _timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _report(one: float, hand: float, many: float, many_hand: float) -> int:
    over, times = one - hand, many / one
    print(f"up                        {one:6.2f} s")
    print(f"docker run, docker exec   {hand:6.2f} s: {over:+.2f} s (bar {OVER:+.2f} s)")
    print(f"up of {MANY} in parallel      {many:6.2f} s: {times:.1f} times one (bar {TIMES:g})")
    print(f"by hand {MANY} in parallel    {many_hand:6.2f} s: {many_hand / hand:.1f} times one")
    return int(over > OVER or times > TIMES)


if __name__ == "__main__":
    raise SystemExit(main())
