"""What can go wrong between here and a guest."""

from __future__ import annotations

from core.errors import BoxwrightError
from core.model.problem import ExitCode


class GuestError(BoxwrightError):
    """Something is wrong with a guest or the way to it."""


class GuestSilentError(GuestError):
    """The guest did not answer in time; says how far it came."""


class GuestGoneError(GuestError):
    """The machine ended while its guest was waited for."""


class KeyRefusedError(GuestError):
    """The guest answers but accepts none of the keys."""


class HostKeyChangedError(GuestError):
    """The guest shows another host key than the pinned one."""


class ConnectionLostError(GuestError):
    """The connection to the guest is broken."""


class CommandTimeoutError(GuestError):
    """A command in the guest took too long and was ended."""


class TransferError(GuestError):
    """An upload or download failed."""


class GuestFileMissingError(TransferError):
    """What was to be downloaded is not there."""

    code = ExitCode.NOT_FOUND
