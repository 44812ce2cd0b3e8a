"""Where Boxwright keeps its things."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from core.errors import BoxwrightError
from core.home import HOME_VARIABLE, folders

__all__ = ["HOME_VARIABLE", "Locations", "locations"]


class Locations(msgspec.Struct, frozen=True):
    """The folders of one user's Boxwright: data that stays, and sockets that do not.

    ``runtime`` holds Unix sockets, whose paths may not exceed some 100 bytes: it is short.
    """

    data: Path
    runtime: Path

    @property
    def boxes(self) -> Path:
        return self.data / "boxes"

    @property
    def machines(self) -> Path:
        return self.data / "machines"

    @property
    def operations(self) -> Path:
        """Logs of operations."""
        return self.data / "operations"

    @property
    def builds(self) -> Path:
        """Working folders of builds that are running."""
        return self.data / "builds"

    @property
    def layers(self) -> Path:
        """States after steps of builds."""
        return self.data / "layers"

    @property
    def downloads(self) -> Path:
        """Files that builds start from, by their checksums."""
        return self.data / "downloads"

    @property
    def reports(self) -> Path:
        """Tracebacks of bugs."""
        return self.data / "reports"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    @property
    def socket(self) -> Path:
        return self.runtime / "engine.sock"

    @property
    def engine_log(self) -> Path:
        return self.data / "engine.log"

    def machine(self, machine_id: str) -> Path:
        return self.machines / machine_id

    def machine_runtime(self, machine_id: str) -> Path:
        return self.runtime / machine_id

    def prepare(self) -> Locations:
        """Make the folders, private to the user. Raises BoxwrightError where they belong to somebody else."""
        for folder in (
            self.data,
            self.boxes,
            self.machines,
            self.operations,
            self.builds,
            self.reports,
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _private(self.runtime)
        return self


def locations() -> Locations:
    """The user's locations: under ``$BOXWRIGHT_HOME``, else as the XDG base directories say."""
    data, runtime = folders()
    return Locations(data=data, runtime=runtime)


def _private(folder: Path) -> None:
    for path in (folder.parent, folder):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise BoxwrightError(
                f"The folder {path} is not yours.",
                why="Control sockets must be private; somebody else made a file of that name.",
                remedy="export XDG_RUNTIME_DIR=<a private folder>",
            )
        path.chmod(0o700)
