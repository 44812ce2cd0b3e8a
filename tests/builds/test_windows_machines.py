"""Builds of Windows in machines: a real guest whose port of WinRM leads to a stand-in for Windows."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.builds.base import Request
from core.builds.communicator import Communicator
from core.builds.libvirt.settings import LibvirtSettings
from core.builds.qemu.settings import QemuSettings
from core.builds.settings import decode
from core.builds.virtualbox.settings import OvfSettings
from core.errors import ConfigError
from tests.builds.yard import Yard
from tests.support.windows import Windows
from tests.support.wsman import WsmanServer

pytestmark = pytest.mark.real

RELAY = """#!/bin/sh
# The guest's serial number names two ports of the computer around it: that of WinRM, and one that says when
# to end.
set -- $(cat /sys/class/dmi/id/product_serial)
[ -n "$2" ] || exit 0
nc -ll -p 5985 -e nc 10.0.2.2 "$1" &
until timeout 5 nc 10.0.2.2 "$2" </dev/null | grep -q off; do sleep 0.5; done
exec poweroff
"""


class Switch:
    """Says to a guest that asks whether it is to end."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._off = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            try:
                asking, _ = self._listener.accept()
            except OSError:
                return
            with asking, contextlib.suppress(OSError):
                asking.sendall(b"off\n" if self._off.is_set() else b"on\n")

    def on(self) -> None:
        self._off.clear()

    def off(self) -> None:
        self._off.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    yield made
    made.close()


@pytest.fixture
def server(switch: Switch) -> Iterator[WsmanServer]:
    windows = Windows()
    windows.off = switch.off
    made = WsmanServer(windows)
    yield made
    made.stop()


@pytest.fixture
def relay_image(tiny_image: Path, tmp_path: Path) -> Path:
    """The tiny guest with the relay, written into its file system without starting it."""
    raw = tmp_path / "relay.img"
    subprocess.run(["qemu-img", "convert", "-O", "raw", tiny_image, raw], check=True)
    with raw.open("rb") as disk:
        # Where the first partition begins.
        (start,) = struct.unpack_from("<I", disk.read(512), 446 + 8)
    script = tmp_path / "relay"
    script.write_text(RELAY)
    target = "/etc/rc.local.d/relay"
    commands = f"mkdir /etc/rc.local.d\nwrite {script} {target}\nsif {target} mode 0100755\n"
    subprocess.run(
        ["debugfs", "-w", "-f", "-", f"{raw}?offset={start * 512}"], input=commands.encode(), check=True
    )
    return raw


def write(yard: Yard, image: Path, server: WsmanServer, switch: Switch, *steps: str, **more: Any) -> None:
    source = {
        "type": "qemu",
        "name": "win",
        "iso_url": str(image),
        "iso_checksum": "none",
        "disk_image": True,
        "memory": 192,
        "qemuargs": [["-smbios", f"type=1,serial={server.port} {switch.port}"]],
        "communicator": "winrm",
        "winrm_username": server.windows.user,
        "winrm_password": server.windows.password,
        "shutdown_command": "shutdown /s /t 0",
        "output_directory": "out",
        **more,
    }
    provisioners = [{"type": "powershell", "inline": [step]} for step in steps]
    yard.write("t.json", json.dumps({"builders": [source], "provisioners": provisioners}))


def test_all_sources_with_machines_take_winrm(tmp_path: Path) -> None:
    """Windows needs no run for its templates to be checked."""
    account = {"communicator": "winrm", "winrm_username": "jo"}
    image = {"urls": ["a.img"], "type": "external"}
    volume = {"alias": "artifact", "source": [image]}
    kinds: list[tuple[type[Communicator], dict[str, Any]]] = [
        (QemuSettings, {"iso_url": "a.iso", "iso_checksum": "none", "disk_image": True}),
        (LibvirtSettings, {"volume": [volume]}),
        (OvfSettings, {"source_path": "a.ovf"}),
    ]
    for kind, more in kinds:
        with pytest.raises(ConfigError, match='"winrm_password" is missing'):
            decode({**more, **account}, kind, "source").check()
        given = decode({**more, **account, "winrm_password": "x", "winrm_use_ssl": True}, kind, "source")
        given.check()
        assert (given.login_port, given.account) == (5986, "jo")


async def test_a_machine_of_qemu_is_reached_over_winrm_and_goes_on_from_its_states(
    relay_image: Path, tmp_path: Path, server: WsmanServer, switch: Switch
) -> None:
    yard = Yard(tmp_path)
    write(yard, relay_image, server, switch, "Write-Output first", "Write-Output second")
    await yard.build("t.json")
    assert b"first\r\n" in yard.work.output and b"second\r\n" in yard.work.output
    assert server.windows.lines[-1] == "shutdown /s /t 0"
    assert (yard.folder / "out/packer-win").is_file() and await yard.left() == []
    write(yard, relay_image, server, switch, "Write-Output first", "Write-Output third")
    switch.on()
    await yard.build("t.json", request=Request(force=True))
    assert b"first" not in yard.work.output and b"third\r\n" in yard.work.output
    assert any("Set-Date" in line for line in server.windows.lines)
    assert server.windows.password not in yard.work.output.decode() + "".join(yard.work.notes)
    assert await yard.left() == []
