"""Commands over WinRM, by pypsrp: all of it blocks, and runs in threads."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from core.errors import ProviderError
from core.guests.base import Output
from core.guests.errors import ConnectionLostError, GuestError, KeyRefusedError

_OPERATION = 10
"""Seconds after which a guest says that there is no output yet."""
_CONNECT = 10
_NOTHING_YET = 2150858793
"""WinRM's number for that."""


class WinrmEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where, and as whom."""

    host: str
    port: int
    user: str
    password: str
    ssl: bool = False
    insecure: bool = False
    """Whether any certificate will do."""
    ntlm: bool = False
    proxy: bool = True
    """Whether the proxies of the environment are used."""
    patience: int = _OPERATION + 20
    """Seconds that it may take for one answer."""

    def __repr__(self) -> str:
        return f"WinrmEndpoint({self.user}@{self.host}:{self.port})"


class Command:
    """One command line of cmd, from its beginning to its end. ``run`` is called once, in a thread; ``end``
    from any other."""

    def __init__(self, endpoint: WinrmEndpoint, line: str) -> None:
        self._endpoint = endpoint
        self._line = line
        self._shell = ""
        self._id = ""
        self.stopped = threading.Event()

    @property
    def began(self) -> bool:
        """Whether the guest has begun with it."""
        return bool(self._id)

    def run(self, stdin: Iterable[bytes] | None, stdout: Output | None, stderr: Output | None) -> int:
        """The exit status. Raises ConnectionLostError, KeyRefusedError, GuestError, ProviderError."""
        from pypsrp.shell import SignalCode

        with _connection(self._endpoint) as (wsman, WinRS), WinRS(wsman) as shell:
            self._shell = str(shell.id)
            if self.stopped.is_set():
                return -1
            begun = shell.command(self._line, None)
            self._id = str(next(one.text for one in begun.iter() if one.tag.endswith("}CommandId")))
            for block in stdin or ():
                if self.stopped.is_set():
                    break
                shell.send("stdin", block, self._id, end=False)
            if stdin is not None:
                shell.send("stdin", b"", self._id, end=True)
            status = self._receive(shell, stdout, stderr)
            # The guest forgets a command only then.
            with suppress(GuestError):
                shell.signal(SignalCode.TERMINATE, self._id)
            return status

    def _receive(self, shell: Any, stdout: Output | None, stderr: Output | None) -> int:
        from pypsrp.exceptions import WSManFaultError
        from pypsrp.shell import CommandState

        while not self.stopped.is_set():
            try:
                state, status, output = shell.receive("stdout stderr", self._id)
            except WSManFaultError as error:
                if error.code == _NOTHING_YET:
                    continue
                raise
            for name, to in (("stdout", stdout), ("stderr", stderr)):
                if output[name] and to is not None:
                    to(output[name])
            if state == CommandState.DONE:
                return -1 if status is None else int(status)
        return -1

    def end(self) -> None:
        """Terminate it in the guest, so that ``run`` returns."""
        from pypsrp.shell import SignalCode

        self.stopped.set()
        if not self._id:
            return
        with suppress(GuestError), _connection(self._endpoint) as (wsman, WinRS):
            shell = WinRS(wsman, id=self._shell)
            shell._selector_set = _selector(self._shell)
            shell.signal(SignalCode.TERMINATE, self._id)


def _selector(shell: str) -> Any:
    from pypsrp.wsman import SelectorSet

    made = SelectorSet()
    made.add_option("ShellId", shell)
    return made


@contextmanager
def _connection(endpoint: WinrmEndpoint) -> Iterator[tuple[Any, Any]]:
    """A connection and the class of its shells; what goes wrong in it is raised as ours."""
    try:
        import requests
        from pypsrp import exceptions
        from pypsrp.shell import WinRS
        from pypsrp.wsman import WSMan
    except ImportError as error:
        raise ProviderError(
            "The Python module pypsrp is not installed.",
            why="It speaks with Windows over WinRM.",
            remedy=f"{sys.executable} -m pip install 'pypsrp>=0.8,<2'",
        ) from error
    where = f"{endpoint.host}:{endpoint.port}"
    # It writes each request that fails to the terminal; who asked hears of it by what is raised.
    logging.getLogger("pypsrp").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wsman = WSMan(
                endpoint.host,
                port=endpoint.port,
                username=endpoint.user,
                password=endpoint.password,
                ssl=endpoint.ssl,
                auth="ntlm" if endpoint.ntlm else "basic",
                cert_validation=not endpoint.insecure,
                # Basic cannot encrypt by itself: without TLS all is sent as it is.
                encryption="auto" if endpoint.ntlm or endpoint.ssl else "never",
                operation_timeout=_OPERATION,
                connection_timeout=_CONNECT,
                read_timeout=endpoint.patience,
                no_proxy=not endpoint.proxy,
            )
            with wsman:
                yield wsman, WinRS
    except exceptions.AuthenticationError as error:
        raise KeyRefusedError(
            f"The guest at {where} refuses the login of {endpoint.user!r}.",
            why="Its WinRM takes another user or password, or another way to log in.",
            remedy="look at winrm_username, winrm_password and winrm_use_ntlm",
        ) from error
    except (requests.RequestException, exceptions.WinRMTransportError, OSError) as error:
        raise ConnectionLostError(
            f"No WinRM connection to the guest at {where}.", why=f"{type(error).__name__}: {error}."
        ) from error
    except exceptions.WinRMError as error:
        raise GuestError(f"The guest at {where} cannot do that.", why=f"{error}.") from error
