"""The folders of one user: for programs that have no time to import :mod:`core.paths`."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

HOME_VARIABLE = "BOXWRIGHT_HOME"


def folders() -> tuple[Path, Path]:
    """The folder of the data and the folder of the sockets: under ``$BOXWRIGHT_HOME``, else as the XDG
    base directories say. Other data has other sockets: whoever changes ``HOME`` meets another engine."""
    own = os.environ.get(HOME_VARIABLE)
    if own:
        data = Path(own).expanduser().absolute()
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "boxwright"
    return data, _runtime_root() / _name(data)


def _name(data: Path) -> str:
    account = Path(pwd.getpwuid(os.getuid()).pw_dir)
    if data == account / ".local" / "share" / "boxwright":
        return "default"
    # Not at the top: every question on the command line passes here, and most need it not.
    import hashlib

    return hashlib.sha256(os.fsencode(data)).hexdigest()[:12]


def _runtime_root() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir():
        return Path(base) / "boxwright"
    import tempfile

    return Path(tempfile.gettempdir()) / f"boxwright-{os.getuid()}"
