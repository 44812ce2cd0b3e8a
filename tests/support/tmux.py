"""A real terminal (tmux) with a program in it: keys are pressed, the screen is read."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Tmux:
    """A terminal of its own."""

    def __init__(self, folder: Path, *, columns: int = 120, rows: int = 40) -> None:
        self._socket = folder / "tmux"
        self._size = ["-x", str(columns), "-y", str(rows)]

    def run(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *words]
        # The sizes of the terminal that the tests run in are not this one's.
        env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "TMUX")}
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, env=env).stdout

    def start(self, command: list[str], **env: str) -> None:
        settings = {"LANG": "C.UTF-8", "COLORTERM": "truecolor", **env}
        words = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
        self.run("new-session", "-d", *self._size, *words, "-c", str(ROOT), *command)
        self.run("set-option", "remain-on-exit", "on")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.run("send-keys", key)

    def escape(self) -> None:
        """The key as terminals with kitty's protocol tell it: whatever comes right after it, that is no key
        with alt."""
        self.run("send-keys", "-H", *(f"{byte:02x}" for byte in b"\x1b[27u"))

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def wait_for(self, text: str, seconds: float = 60.0, *, gone: bool = False) -> str:
        """Until ``text`` is on the screen, or is not there any more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            screen = self.screen()
            if (text in screen) is not gone:
                return screen
            time.sleep(0.05)
        raise AssertionError(f"{text!r} is {'still' if gone else 'not'} on the screen:\n{self.screen()}")

    def wait_for_end(self, seconds: float = 60.0) -> None:
        """Until the program has ended. Its process is looked at: tmux may notice only much later."""
        stat = Path(f"/proc/{self.run('display-message', '-p', '#{pane_pid}').strip()}/stat")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                state = stat.read_text().rpartition(") ")[2][0]
            except FileNotFoundError:
                return
            if state == "Z":
                return
            time.sleep(0.05)
        raise AssertionError(f"the program still runs:\n{self.screen()}")

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, timeout=20)
