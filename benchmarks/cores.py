"""Who used the processor: seconds by program, of the processes that belong to certain folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Cores:
    """Of processes whose command line or environment names one of ``folders``: daemons, their helpers, the
    engine. Children that have ended count as their parent's; those that nobody waited for are lost."""

    def __init__(self, *folders: Path) -> None:
        self._folders = [os.fsencode(folder) for folder in folders]
        self._ticks: Counter[str] = Counter()

    def during(self, action: Callable[[], float]) -> float:
        """Do it, and count what is used meanwhile."""
        before = self._looked()
        found = action()
        self._ticks += self._looked() - before
        return found

    def report(self, title: str, rounds: int) -> None:
        parts = [f"{name} {ticks / _TICKS / rounds:.2f}" for name, ticks in self._ticks.most_common()]
        print(f"  {title}: seconds of processor a round: {', '.join(parts)}", flush=True)

    def _looked(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for process in Path("/proc").iterdir():
            if not process.name.isdecimal():
                continue
            try:
                words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                name, _, rest = (process / "stat").read_text().rpartition(")")
            except OSError:
                continue
            if any(folder in words for folder in self._folders):
                # A Python is the engine; of the others the name says what they are.
                program = "engine" if b"core.engine" in words else name.partition("(")[2]
                own, ended = rest.split()[11:13], rest.split()[13:15]
                found[program] += sum(map(int, own))
                found[f"{program}'s children"] += sum(map(int, ended))
        return found
