"""Reads what mmdebstrap, apt and dpkg print, and makes progress of it."""

from __future__ import annotations

import re

from core.model.work import Work

_COUNT = re.compile(r"^\d+ upgraded, (\d+) newly installed")
_LIST = re.compile(r"^Get:\d+ \S+ \S+ .*\b(InRelease|Release|Release\.gpg|Packages|Translation-\w+) \[")
_MARK = "boxwright: phase "
_NOISE = (_MARK, "/usr/bin/dpkg --status-fd ")
_PHASES = {
    "tree": "copying the system's files",
    "settings": "settings and users",
    "kernel": "kernel and modules",
    "initramfs": "initial file system",
    "file-system": "writing the file system",
}


class Reading:
    """Fed with lines; tells ``work`` how many packages of how many are fetched, unpacked or set up.

    Lines are printed when a package is begun: the last one is not done before something else begins."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._expected = 0
        self._total = 0
        self._doing = ""
        self._begun = 0

    def line(self, text: str) -> bool:
        """One line of output, without its end; False for what nobody wants to read: apt's own calls
        of dpkg, and our hooks' marks."""
        self._progress(text)
        return not text.startswith(_NOISE)

    def _progress(self, text: str) -> None:
        if found := _COUNT.match(text):
            self._expected = int(found[1])
        elif _LIST.match(text):
            self._note("fetching package lists")
        elif text.startswith("Get:"):
            self._count("fetching packages")
        elif text.startswith("Unpacking "):
            self._count("unpacking packages")
        elif text.startswith("Setting up "):
            self._count("setting up packages")
        elif text.startswith("I: extracting archives"):
            self._note("unpacking packages")
        elif text.startswith(_MARK):
            self._note(_PHASES.get(text.rpartition(" ")[2], ""))

    def _note(self, doing: str) -> None:
        if doing != self._doing:
            self._doing = doing
            self._begun = 0
            self._total = self._expected
            self._work.note(doing)
            self._work.progress(0, None)

    def _count(self, doing: str) -> None:
        self._note(doing)
        self._begun += 1
        total = self._total if self._total >= self._begun else None
        self._work.progress(self._begun - 1, total, "packages")
