"""Fails where a module has more lines than a reader can hold: two ideas live in it.

python scripts/sizes.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 400
FOLDERS = ("core", "tui", "scripts", "benchmarks")


def too_long() -> list[str]:
    """One line for each module over the limit."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            count = len(path.read_text(encoding="utf-8").splitlines())
            if count > LIMIT:
                found.append(f"{path.relative_to(ROOT)}: {count} lines; {LIMIT} is the limit")
    return found


if __name__ == "__main__":
    faults = too_long()
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(bool(faults))
