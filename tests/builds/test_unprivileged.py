"""A user without any privilege builds the same image, and undoing removes what other numbers own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builds.guest import ssh
from tests.support.tiny import booted

pytestmark = pytest.mark.real

NOBODY = 65534

_AS_NOBODY = """
set -e
echo nobody:300000:65536 > "$1/subid"
chmod 644 "$1/subid"
mount --bind "$1/subid" /etc/subuid
mount --bind "$1/subid" /etc/subgid
shift
# Reading files of the interpreter, wherever it lies, is all that is left of root.
exec setpriv --reuid nobody --regid nogroup --clear-groups \\
    --inh-caps -all,+dac_read_search --ambient-caps +dac_read_search "$@"
"""
"""Runs a command as the user nobody, who gets subordinate numbers in a mount namespace only."""

_BUILD = """
import asyncio, os, sys
from pathlib import Path
from core.builds import namespace, undo
from core.builds.bootstrap import bootstrap
from core.builds.namespace import remove_tree
from core.model.project import Bootstrap
from tests.support.work import RecordingWork

async def main():
    assert os.geteuid() != 0 and not namespace.is_root()
    home = Path(sys.argv[1])
    folder = home / "work"
    folder.mkdir(mode=0o700)
    work = RecordingWork()
    try:
        image = await bootstrap(Bootstrap(suite="bookworm", flavour="tiny"), folder=folder, work=work)
    except BaseException:
        print(work.output.decode()[-3000:])
        raise
    assert "user namespace" in " ".join(work.notes)
    image.rename(home / "made.qcow2")
    command = ["sh", "-c", "mkdir -p $0/tree/deep && chown -R 5:5 $0/tree && chmod 700 $0/tree", str(folder)]
    await namespace_run(command)
    assert (folder / "tree").stat().st_uid > 300000
    await undo.remove_folder({"path": str(folder)})
    assert not folder.exists()

async def namespace_run(command):
    process = await asyncio.create_subprocess_exec(*namespace._unshare(), *command)
    assert await process.wait() == 0

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a normal user's other tests show the same")
async def test_a_normal_user_builds_an_image_whose_files_have_their_owners(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    command = ["unshare", "--mount", "sh", "-c", _AS_NOBODY, "as-nobody", str(tmp_path)]
    built = subprocess.run(
        [*command, sys.executable, "-c", _BUILD, str(home)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]

    async with booted(home / "made.qcow2", tmp_path) as guest:
        said = await ssh(guest, tmp_path, "sudo -n stat -c '%u %g %a %n' / /etc/shadow /usr/bin/sudo $HOME")
        assert said.out.splitlines() == [
            "0 0 755 /",
            "0 0 600 /etc/shadow",
            "0 0 4755 /usr/bin/sudo",
            "1000 1000 755 /home/vagrant",
        ]
