"""A program: brings a box up under the real Vagrant, in namespaces of its own, and says what is in the guest.

Arguments: a private folder, the box, a command for the guest. Vagrant's libvirt shares neither files nor
networks with the computer's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.up import Vagrant, a_libvirt, stand_apart


def main() -> int:
    folder, box, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    folder.mkdir()
    stand_apart(folder)
    # The settings, and none of what is defined on this computer.
    shutil.copytree("/etc/libvirt", folder / "etc", ignore=shutil.ignore_patterns("*.xml", "autostart"))
    subprocess.run(["mount", "--bind", str(folder / "etc"), "/etc/libvirt"], check=True)
    for name in ("lib", "cache", "log"):
        subprocess.run(["mount", "-t", "tmpfs", "none", f"/var/{name}/libvirt"], check=True)
    with a_libvirt(), Vagrant(folder, box) as vagrant:
        vagrant.run("up", "--provider=libvirt")
        words = ["vagrant", "ssh", "-c", command]
        said = subprocess.run(
            words,
            cwd=vagrant.folder,
            env=vagrant.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        sys.stdout.buffer.write(said.stdout)
    return said.returncode


if __name__ == "__main__":
    raise SystemExit(main())
