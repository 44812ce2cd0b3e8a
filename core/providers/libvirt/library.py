"""The binding to libvirt's library: its event loop in a thread of its own, its calls in others.

Nothing here blocks the event loop of the engine. The module ``libvirt`` is loaded at the first use.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from core.errors import ProviderError
from core.providers import tools

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for the answer to an ordinary call."""

_THREADS = 16
"""Calls that may be on their way at the same time; each waits in a thread."""


class LibvirtError(ProviderError):
    """libvirt refused something, or cannot be talked to."""

    def __init__(self, what: str, *, number: int = -1, **more: Any) -> None:
        super().__init__(what, **more)
        self.number = number
        """libvirt's own number (``VIR_ERR_...``); -1 where it gave none."""


class NoAnswer(LibvirtError):
    """libvirt is silent."""


def module() -> Any:
    """The module ``libvirt`` alone. Raises LibvirtError where it is not installed."""
    try:
        import libvirt
    except ImportError as error:
        raise LibvirtError(
            "The Python module libvirt is not installed.", why=str(error), remedy=install_module()
        ) from error
    return libvirt


def install_module() -> str:
    """The command that installs the Python module, which is compiled against libvirt's own library."""
    pip = f"{sys.executable} -m pip install 'libvirt-python>=9'"
    needed = {
        "debian": "libvirt-dev pkg-config gcc python3-dev",
        "fedora": "libvirt-devel pkgconf gcc python3-devel",
        "arch": "libvirt pkgconf gcc",
        "suse": "libvirt-devel pkg-config gcc python3-devel",
    }
    first = tools.install(needed)
    return f"{first} && {pip}" if first else pip


@functools.cache
def bindings() -> Any:
    """The module ``libvirt``, its event loop running. Raises LibvirtError where it is not installed."""
    libvirt = module()
    # What goes wrong is raised; the library would print it, too.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_run_events, args=(libvirt,), name="libvirt events", daemon=True).start()
    return libvirt


def _run_events(libvirt: Any) -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="libvirt")


async def call(function: Callable[..., T], *arguments: Any, timeout: float | None = 0) -> T:
    """Call a function of the library in a thread; raises LibvirtError.

    ``timeout``: seconds; 0 for ``PATIENCE``, None for no limit.
    When cancelled the call is waited for all the same: nothing goes on behind the back of whoever undoes it.
    """
    timeout = PATIENCE if timeout == 0 else timeout
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(_threads(), functools.partial(function, *arguments))
    try:
        done, _ = await asyncio.wait([future], timeout=timeout)
    except asyncio.CancelledError:
        await asyncio.wait([future], timeout=timeout)
        if future.done() and not future.cancelled():
            future.exception()
        raise
    if not done:
        raise NoAnswer(
            f"libvirt did not answer within {timeout:g} s.", remedy="boxwright doctor, to see how libvirt is"
        )
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, bindings().libvirtError):
        raise refused(error) from error
    raise error


def refused(error: Any) -> LibvirtError:
    """libvirt's error in our words."""
    number = error.get_error_code()
    text = str(error.get_error_message() or error).strip()
    remedy = _remedy(text)
    lines = tuple(line for line in text.splitlines() if line.strip())
    return LibvirtError("libvirt refused.", number=-1 if number is None else number, why=text, remedy=remedy,
                        tail=lines if len(lines) > 1 else ())  # fmt: skip


_REMEDIES = (
    ("state change lock", "try again; where that does not help, restart libvirt's daemon: guests run on"),
    ("No space left", "free some space on the host's disk, then try again"),
    ("network is not active", "virsh net-start with the name of that network, then try again"),
    ("storage pool", "virsh pool-list --all, and virsh pool-start with its name"),
    ("is not active", "virsh net-start with the name of that network, then try again"),
    ("virtlogd-sock", "sudo systemctl start virtlogd, or where there is no systemd: sudo virtlogd -d"),
    ("Permission denied", "look whether the user that libvirt runs guests as may read that file"),
    ("swtpm_setup'", "look into the log that libvirt names; an emulated TPM needs swtpm and swtpm-tools"),
    ("find 'swtpm", "install swtpm and swtpm-tools, then try again"),
    ("dnsmasq", "install dnsmasq (Debian: sudo apt-get install -y dnsmasq-base), then try again"),
    ("not supported by the connection driver", 'uri = "qemu:///system": libvirt does that for QEMU'),
    ("No emulator found for arch", "choose a box for this computer's architecture, or install QEMU for that "
     "one (Debian: qemu-system)"),
    ("could not find capabilities for ostype=exe arch", "choose a box for this computer's architecture"),
    ("annot allocate memory", "give the machine less memory, or halt another one"),
    ("snapshots of a VM with pflash", "halt the machine first, or use a box without UEFI firmware"),
)  # fmt: skip


def _remedy(text: str) -> str:
    return next((remedy for sign, remedy in _REMEDIES if sign in text), "")
