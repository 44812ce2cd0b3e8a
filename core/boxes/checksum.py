"""Checksums of archives as users and catalogues give them: ``sha256:HEX``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from core.errors import BoxwrightError, UsageError

if TYPE_CHECKING:
    from hashlib import _Hash

_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}


class Checksum(msgspec.Struct, frozen=True):
    """An algorithm and the digest, in lower-case hexadecimal digits."""

    algorithm: str
    digest: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.digest}"


def parse(text: str) -> Checksum:
    """Read ``sha256:HEX``; a bare digest is told by its length. Raises UsageError."""
    algorithm, separator, digest = text.strip().rpartition(":")
    digest = digest.strip().lower()
    if not separator:
        algorithm = next((name for name, length in _LENGTHS.items() if length == len(digest)), "")
    return of(algorithm, digest)


def of(algorithm: str, digest: str) -> Checksum:
    """A checksum from its parts, e.g. ``SHA-256``. Raises UsageError where it cannot be one."""
    name = algorithm.strip().lower().replace("-", "").replace("_", "")
    digest = digest.strip().lower()
    if name not in _LENGTHS:
        raise UsageError(
            f"{algorithm[:40]!r} is not a kind of checksum.",
            remedy=f"use one of {', '.join(_LENGTHS)}, as in sha256:HEX",
        )
    if len(digest) != _LENGTHS[name] or any(letter not in "0123456789abcdef" for letter in digest):
        raise UsageError(
            f"{digest[:140]!r} is not a {name} checksum.",
            why=f"That has {_LENGTHS[name]} hexadecimal digits.",
            remedy="copy it once more from where it is published",
        )
    return Checksum(name, digest)


class ArchiveHash:
    """The SHA-256 of an archive, and with it the digest that is expected, while the archive is read."""

    def __init__(self, expected: Checksum | None = None) -> None:
        self.expected = expected
        self._sha256 = hashlib.sha256()
        self._other: _Hash | None = None
        if expected and expected.algorithm != "sha256":
            self._other = hashlib.new(expected.algorithm, usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        if self._other:
            self._other.update(data)

    @property
    def sha256(self) -> str:
        """``sha256:HEX``."""
        return f"sha256:{self._sha256.hexdigest()}"

    def check(self, source: str) -> None:
        """Raise BoxwrightError where the archive, which came from ``source``, is not the expected one."""
        if not self.expected:
            return
        found = (self._other or self._sha256).hexdigest()
        if found != self.expected.digest:
            raise ChecksumError(
                f"The checksum of {source} does not match.",
                why=f"Expected is {self.expected}; what arrived has {self.expected.algorithm}:{found}. "
                "It was damaged on its way, or is not what was published.",
                remedy="add the box again; if that does not help, ask whoever publishes it",
            )


class ChecksumError(BoxwrightError):
    """An archive that is not what its checksum says."""
