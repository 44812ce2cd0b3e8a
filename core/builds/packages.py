"""Reads what mmdebstrap, apt and dpkg print, and makes progress of it."""

from __future__ import annotations

import re

from core.model.work import Work

_COUNT = re.compile(r"^\d+ upgraded, (\d+) newly installed")
_PHASES = {
    "tree": "copying the system's files",
    "settings": "settings and users",
    "kernel": "kernel and modules",
    "initramfs": "initial file system",
    "file-system": "writing the file system",
}


class Reading:
    """Fed with lines; tells ``work`` how many packages of how many are fetched, unpacked or set up."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._expected = 0
        self._total = 0
        self._doing = ""
        self._done = 0

    def line(self, text: str) -> None:
        """One line of output, without its end."""
        if found := _COUNT.match(text):
            self._expected = int(found[1])
        elif text.startswith("Get:") and ".deb" not in text and " Packages [" in text:
            self._note("fetching package lists")
        elif text.startswith("Get:"):
            self._count("fetching packages")
        elif text.startswith("Unpacking "):
            self._count("unpacking packages")
        elif text.startswith("Setting up "):
            self._count("setting up packages")
        elif text.startswith("I: extracting archives"):
            self._note("unpacking packages")
        elif text.startswith("boxwright: phase "):
            self._note(_PHASES.get(text.rpartition(" ")[2], ""))

    def _note(self, doing: str) -> None:
        if doing != self._doing:
            self._doing = doing
            self._done = 0
            self._total = self._expected
            self._work.note(doing)

    def _count(self, doing: str) -> None:
        self._note(doing)
        self._done += 1
        total = self._total if self._total >= self._done else None
        self._work.progress(self._done, total, "packages")
