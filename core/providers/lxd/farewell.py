"""The end of a command that runs on a terminal.

LXD before 5.14 drops what a command on a terminal wrote last when the command ends before the server has read
it, which on a busy computer happens to one short command in six. So the command is followed by a shell that
stays until all has arrived here: it says a word that ends the output, and goes when it is told to.
"""

from __future__ import annotations

import secrets
import signal

SIGNAL = signal.SIGUSR1
"""Everything has arrived."""

# What the outer shell has to say of a command that was killed is no output of the command.
_STAY = """stty -echo -onlcr -echoctl 2>/dev/null
exec 3>&1 4>&2 >/dev/null 2>&1
sh -c 'exec sh -c "$0" >&3 2>&4 3>&- 4>&-' "$0"
status=$?; waits=
trap 'kill $waits; exit $status' USR1
printf %s "$1" >&3
sleep 30 & waits=$!
wait $waits
exit $status
"""


class Farewell:
    """Finds the last word of one command in its output."""

    def __init__(self) -> None:
        self._word = secrets.token_hex(16).encode()
        self._kept = b""
        self._found = False

    def around(self, command: str) -> list[str]:
        """The command as the server runs it: its output as it wrote it, and its status."""
        return ["sh", "-c", _STAY, command, self._word.decode()]

    def take(self, data: bytes) -> tuple[bytes, bool]:
        """What of the output the command wrote itself, and whether the word has come just now.

        What may be the beginning of the word is kept until more arrives.
        """
        if self._found:
            return data, False
        data = self._kept + data
        before, word, after = data.partition(self._word)
        if word:
            self._found, self._kept = True, b""
            return before + after, True
        most = range(min(len(self._word) - 1, len(data)), 0, -1)
        kept = next((length for length in most if data.endswith(self._word[:length])), 0)
        self._kept = data[len(data) - kept :]
        return data[: len(data) - kept], False

    def rest(self) -> bytes:
        """What was kept, where nothing more arrives."""
        kept, self._kept = self._kept, b""
        return kept
