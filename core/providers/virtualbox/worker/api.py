"""VirtualBox's API as it is used here. pyvbox opens it; numbers of states and options are asked of the
VirtualBox that runs, since they differ between versions and pyvbox has only those of one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from typing import Any

from core.providers.virtualbox.worker import versions

Steps = Generator[Any, None, Any]
"""A task: yields what to wait for, an ``IProgress`` of VirtualBox's or seconds, and returns its result."""

NOT_FOUND = 0x80BB0001
INVALID_STATE = 0x80BB0007

_LOCK_PATIENCE = 100
"""How often a machine that somebody else has locked is asked for, a tenth of a second apart."""


class Refused(Exception):
    """What was asked for is impossible; ``kind`` says why in one word, for programs."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Cancelled(BaseException):
    """Whoever asked does not want it any more; not an error, so that nothing takes it for one."""


class Api:
    """Raises ImportError where a module is missing, and what ``vboxapi`` raises where nobody answers."""

    def __init__(self) -> None:
        import virtualbox

        self._pyvbox: Any = virtualbox.Manager()
        self.manager: Any = self._pyvbox.manager
        self.box: Any = self.manager.getVirtualBox()
        if self.box is None:
            raise Refused("silent", "VBoxSVC, VirtualBox's daemon, cannot be started.")
        self.constants: Any = self.manager.constants
        self._states: dict[int, str] = {}

    @property
    def version(self) -> versions.Version:
        return versions.read(self.box.version)

    def array(self, thing: Any, name: str) -> list[Any]:
        return list(self.manager.getArray(thing, name))

    def constant(self, name: str) -> Any:
        """None where this version has none of that name."""
        return getattr(self.constants, name, None)

    def state(self, number: int) -> str:
        """The name of a machine's state, e.g. ``PoweredOff``."""
        if not self._states:
            known = self.constants.all_values("MachineState")
            self._states = {int(value): name for name, value in known.items()}
        return self._states.get(int(number), str(number))

    def find(self, name: str) -> Any:
        """The machine of that name or UUID, None where there is none."""
        try:
            return self.box.findMachine(name)
        except Exception as error:
            if code(error) == NOT_FOUND:
                return None
            raise

    def needed(self, uuid: str) -> Any:
        machine = self.find(uuid)
        if machine is None:
            raise Refused("absent", "VirtualBox does not know this machine any more.")
        return machine

    def medium(self, path: str) -> Any:
        """The disk image at ``path``."""
        constants = self.constants
        kind, access = constants.DeviceType_HardDisk, constants.AccessMode_ReadWrite
        return self.box.openMedium(path, kind, access, False)

    def session(self) -> Any:
        return self._pyvbox.get_session()._i

    def lock(self, machine: Any, *, shared: bool = False) -> Steps:
        """A session that holds the machine. Others let go of it in their own time: that is waited for."""
        session = self.session()
        kind = self.constants.LockType_Shared if shared else self.constants.LockType_Write
        for attempt in range(_LOCK_PATIENCE):
            try:
                machine.lockMachine(session, kind)
                return session
            except Exception as error:
                if code(error) != INVALID_STATE or attempt == _LOCK_PATIENCE - 1:
                    raise
            yield 0.1
        return session

    @contextlib.contextmanager
    def held(self, session: Any) -> Iterator[Any]:
        """The machine as it can be changed; let go of at the end."""
        try:
            yield session.machine
        finally:
            with contextlib.suppress(Exception):
                session.unlockMachine()

    def unlocked(self, machine: Any) -> Steps:
        """Until nobody holds the machine, or for some seconds."""
        for _ in range(_LOCK_PATIENCE):
            if machine.sessionState == self.constants.SessionState_Unlocked:
                return
            yield 0.1


def code(error: BaseException) -> int:
    """VirtualBox's number for what went wrong, 0 where it gave none."""
    number = getattr(error, "errno", None) or getattr(error, "hresult", None) or 0
    return int(number) & 0xFFFFFFFF


def text(error: BaseException) -> str:
    return str(getattr(error, "msg", "") or getattr(error, "message", "") or error)


def own_output() -> int:
    """The standard output for answers alone: what a library prints goes to the errors, and the daemon that
    VirtualBox may start does not inherit it."""
    out = os.dup(1)
    os.dup2(2, 1)
    return out
