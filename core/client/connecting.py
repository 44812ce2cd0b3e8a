"""Finding the engine: connect, exchange versions, start it on first use, replace an older one."""

from __future__ import annotations

import socket
import time

import core
from core.client.channel import Channel, EngineGoneError
from core.engine.protocol import PROTOCOL, Failed, Hello, Reply, Stop, Welcome
from core.errors import BoxwrightError, BusyError, NotFoundError, RemoteError, UsageError
from core.paths import Locations

PATIENCE = 60.0
"""Seconds in which an engine has to answer; one that tidies up after a crash takes its time."""

_GREETING = 10.0


def connect(where: Locations, *, start: bool = True, version: str = "") -> tuple[Channel, Welcome]:
    """A connection after the exchange of versions. ``version``: of this program, if not its own.

    Without ``start`` this raises NotFoundError where no engine runs. An older engine without work
    is replaced; with work this raises BusyError. Raises UsageError where the engine is newer and does
    not speak this program's protocol.
    """
    version = version or core.__version__
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            channel, welcome = _greet(where, version)
        except (FileNotFoundError, NotADirectoryError, ConnectionError, EngineGoneError):
            if not start:
                raise NotFoundError("No engine runs.", remedy="boxwright status") from None
            if time.monotonic() > deadline:
                raise BoxwrightError(
                    f"The engine does not answer within {PATIENCE:.0f} s.", remedy="boxwright engine log"
                ) from None
            _launch(where)
            continue
        except OSError as error:
            raise BoxwrightError(
                "The engine's socket cannot be reached.",
                why=f"{where.socket}: {error}",
                remedy="export XDG_RUNTIME_DIR=<a private folder with a short path>",
            ) from None
        if not _older(welcome, version):
            if welcome.protocol == PROTOCOL:
                return channel, welcome
            channel.close()
            raise UsageError(
                f"The engine that runs is of a newer version, {welcome.version}.",
                why=f"This program, {version}, does not speak its language.",
                remedy="pip install --upgrade boxwright",
            )
        if not start:
            return channel, welcome
        _replace(channel, welcome, version)


def _launch(where: Locations) -> None:
    from core.client.launch import launch

    launch(where)


def _greet(where: Locations, version: str) -> tuple[Channel, Welcome]:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(where.socket))
        channel = Channel(connection)
        channel.send(Hello(PROTOCOL, version))
        welcome = channel.receive(_GREETING)
    except BaseException:
        connection.close()
        raise
    if isinstance(welcome, Welcome):
        return channel, welcome
    connection.close()
    raise EngineGoneError(f"It does not greet within {_GREETING:.0f} s.")


def _older(welcome: Welcome, version: str) -> bool:
    """Whether the engine is of an earlier version than the client."""
    return (welcome.protocol, _numbers(welcome.version)) < (PROTOCOL, _numbers(version))


def _numbers(version: str) -> tuple[int, ...]:
    """Of ``1.10.2.dev3`` (1, 10, 2): what counts for the order."""
    numbers = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _replace(channel: Channel, welcome: Welcome, version: str) -> None:
    """End an older engine that has nothing to do. Raises BusyError where it has."""
    try:
        channel.send(Stop(1))
        while True:
            answer = channel.receive(PATIENCE)
            if isinstance(answer, Reply):
                return
            if isinstance(answer, Failed):
                raise RemoteError(answer.problem)
            if answer is None:
                raise BoxwrightError("The older engine does not end.", remedy=f"kill {welcome.pid}")
    except EngineGoneError:
        return
    except RemoteError as error:
        raise BusyError(
            f"An older engine, {welcome.version}, is still busy; this program is {version}.",
            why=error.problem.why,
            remedy="Wait for it (boxwright ops), or: boxwright engine stop --force",
        ) from None
    finally:
        channel.close()
