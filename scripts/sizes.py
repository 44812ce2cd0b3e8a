"""Fails where a module or a function has more lines than a reader can hold: two ideas live in it.

python scripts/sizes.py
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE = 400
FUNCTION = 60
FOLDERS = ("core", "tui", "scripts", "benchmarks")


def too_long() -> Iterator[str]:
    """One line for each module and function over its limit."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(ROOT)
            count = len(text.splitlines())
            if count > MODULE:
                yield f"{name}: {count} lines; {MODULE} is the limit of a module"
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    count = (node.end_lineno or node.lineno) - node.lineno + 1
                    if count > FUNCTION:
                        yield f"{name}:{node.lineno}: {node.name} has {count} lines; {FUNCTION} is the limit"


if __name__ == "__main__":
    faults = list(too_long())
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(bool(faults))
