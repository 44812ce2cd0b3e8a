"""The command ``boxwright``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.cli.glance import glance


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code. Nothing is raised."""
    words = list(sys.argv[1:] if argv is None else argv)
    code = glance(words)
    if code is not None:
        return code
    from core.cli.dispatch import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
