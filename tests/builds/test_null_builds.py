"""The source "null" in a system that is there: a real OpenSSH server, logged in to by a password."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builds.yard import Yard
from tests.support.sshd import Sshd

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
