"""A channel of an SSH connection."""

from __future__ import annotations

import asyncssh

from core.guests.base import Output
from core.guests.channel import Channel


class SshChannel(Channel, asyncssh.SSHClientSession[bytes]):
    """What asyncssh calls, and what it is asked for."""

    def __init__(self, stdout: Output | None, stderr: Output | None) -> None:
        super().__init__(stdout, stderr)
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._chan = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self.arrived(data, stderr=datatype is not None)

    def eof_received(self) -> bool:
        self.output_ended()
        return True

    def exit_status_received(self, status: int) -> None:
        self.exited(status)

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self.exited(signal_name=signal)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost()

    def _is_open(self) -> bool:
        return self._chan is not None and not self._chan.is_closing()

    def _send(self, data: bytes) -> None:
        assert self._chan is not None
        self._chan.write(data)

    def _send_eof(self) -> None:
        assert self._chan is not None
        self._chan.write_eof()

    def _send_size(self, columns: int, rows: int) -> None:
        if self._chan is not None:
            self._chan.change_terminal_size(columns, rows)

    def _hold(self) -> None:
        if self._chan is not None:
            self._chan.pause_reading()

    def _release(self) -> None:
        if self._chan is not None:
            self._chan.resume_reading()

    def _abort(self) -> None:
        if self._chan is not None:
            self._chan.abort()
