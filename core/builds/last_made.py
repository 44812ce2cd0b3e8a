"""What a template made the last time that all of it was built, and how that stands now.

A build of ``boxwright.toml`` leaves a box, and the store tells how it stands. What a template leaves may
lie anywhere, so it is noted beside the layers, one small file for each template.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.builds.artifact import Artifact

FOLDER = "made"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact as it was left."""

    text: str
    files: tuple[str, ...] = ()
    box: str = ""
    """Name and version, where it is in the store of boxes."""

    @property
    def words(self) -> str:
        """With the files, where those are not named yet."""
        return ", ".join((self.text, *(file for file in self.files if file not in self.text)))


class LastMade(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: str
    """Of the template then; "" where not all of its sources were built."""
    when: float
    artifacts: tuple[Left, ...]

    @property
    def there(self) -> tuple[Left, ...]:
        """Those of which all files are where they were left; of what is kept elsewhere that is assumed."""
        return tuple(one for one in self.artifacts if all(Path(file).exists() for file in one.files))

    def state(self, fingerprint: str) -> str:
        """``missing``, ``stale`` or ``fresh``, for a template with that fingerprint."""
        there = self.there
        if not there:
            return "missing"
        return "fresh" if there == self.artifacts and fingerprint == self.fingerprint else "stale"


def remember(layers: Path, subject: str, fingerprint: str, artifacts: Sequence[Artifact]) -> None:
    """``subject``: of the build, see ``Operation.subject``."""
    left = tuple(
        Left(
            text=(one.text or one.id).replace("\n", " "),
            files=one.files,
            box=" ".join(filter(None, (one.facts.get("box", ""), one.facts.get("version", "")))),
        )
        for one in artifacts
    )
    made = LastMade(fingerprint=fingerprint, when=time.time(), artifacts=left)
    path = _file(layers, subject)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(made))
    beside.replace(path)


def recall(layers: Path, subject: str) -> LastMade | None:
    """None where it never came to an end, or nothing is known of that any more."""
    try:
        return msgspec.json.decode(_file(layers, subject).read_bytes(), type=LastMade)
    except (OSError, msgspec.MsgspecError):
        return None


def _file(layers: Path, subject: str) -> Path:
    return layers / FOLDER / f"{hashlib.sha256(subject.encode()).hexdigest()[:32]}.json"
