"""The source "null" in a system that is there: a real OpenSSH server, logged in to by a password."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.provisioners.base import ProvisionError
from tests.builds.yard import Yard
from tests.support.sshd import Sshd
from tests.support.waiting import until

pytestmark = pytest.mark.real

PASSWORD = "a pa55word of a test"

TEMPLATE = """
variable "password" {
  type      = string
  sensitive = true
}
source "null" "there" {
  ssh_host     = "127.0.0.1"
  ssh_port     = PORT
  ssh_username = "USER"
  ssh_password = var.password
  ssh_timeout  = "60s"
}
build {
  sources = ["null.there"]
  provisioner "shell" { inline = ["echo in $HOME", "echo as ${build.Password}"] }
}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Sshd]:
    (tmp_path / "sshd").mkdir()
    server = Sshd(tmp_path / "sshd")
    server.authorize()
    server.first = "PasswordAuthentication yes\nPermitRootLogin yes"
    server.password = PASSWORD
    yield await server.started()
    server.stop()


async def test_a_guest_is_reached_by_its_password_which_is_seen_nowhere(tmp_path: Path, server: Sshd) -> None:
    yard = Yard(tmp_path)
    text = TEMPLATE.replace("PORT", str(server.port)).replace("USER", getpass.getuser())
    yard.write("a.pkr.hcl", text)
    await yard.build(variables=[("password", PASSWORD)])
    assert f"in {server.home}\nas <sensitive>\n".encode() in yard.work.output
    written = b"".join(path.read_bytes() for path in yard.locations.data.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written + yard.work.output
    assert await yard.left() == []


@pytest.mark.parametrize("end", ["fails", "is cancelled", "ends the connection"])
async def test_a_script_goes_from_the_guest_however_it_ends(tmp_path: Path, server: Sshd, end: str) -> None:
    """Also where nobody could take it away any more."""
    there, began = tmp_path / "there", tmp_path / "began"
    there.mkdir()
    line = {
        "fails": "exit 3",
        "is cancelled": f"touch {began}; exec sleep 600",
        "ends the connection": "kill -9 $(ps -o ppid= -p $PPID); sleep 0.2",
    }[end]
    step = f'remote_folder = "{there}"\n use_env_var_file = true'
    if end == "ends the connection":
        step += "\n expect_disconnect = true"
    text = TEMPLATE.replace("PORT", str(server.port)).replace("USER", getpass.getuser())
    text = text[: text.index('["echo in')] + f'["{line}"]\n {step} }}\n}}\n'
    yard = Yard(tmp_path)
    yard.write("a.pkr.hcl", text.replace('shell" { inline', 'shell" {\n inline'))
    building = asyncio.ensure_future(yard.build(variables=[("password", PASSWORD)]))
    if end == "is cancelled":
        await until(began.exists)
        assert len(list(there.iterdir())) == 2
        building.cancel()
    with (
        contextlib.nullcontext() if "conn" in end else pytest.raises((ProvisionError, asyncio.CancelledError))
    ):
        await building
    await until(lambda: not list(there.iterdir()))
    assert await yard.left() == []
