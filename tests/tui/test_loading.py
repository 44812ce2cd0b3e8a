"""What is imported for the first frame, and what is not."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
from tui.loading import load
load()
assert "tui.program" in sys.modules
print([name for name in ("textual.command", "textual.widgets._input", "argparse") if name in sys.modules])
from textual.command import CommandPalette, Provider
assert CommandPalette.__mro__[-2].__name__ == "MessagePump", CommandPalette.__mro__
from textual.widgets import Input
"""


def test_the_palette_of_textual_is_loaded_only_by_who_asks_for_it() -> None:
    found = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "[]\n"
