"""The folders of one user: for programs that have no time to import :mod:`core.paths`."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "BOXWRIGHT_HOME"


def folders() -> tuple[Path, Path]:
    """The folder of the data and the folder of the sockets: under ``$BOXWRIGHT_HOME``, else as the XDG
    base directories say."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        # Not at the top: every question on the command line passes here, and most need neither.
        import hashlib

        data = Path(home).expanduser().absolute()
        return data, _runtime_root() / hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    data_home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data_home).expanduser() / "boxwright", _runtime_root() / "default"


def _runtime_root() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir():
        return Path(base) / "boxwright"
    import tempfile

    return Path(tempfile.gettempdir()) / f"boxwright-{os.getuid()}"
