"""Catalogues: JSON documents, as Vagrant defines them, that list the versions of a box.

::

    {"name": "debian/bookworm64", "description": "...",
     "versions": [{"version": "12.1", "providers": [
         {"name": "libvirt", "url": "bookworm.box", "checksum_type": "sha256", "checksum": "...",
          "architecture": "amd64", "default_architecture": true}]}]}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from core.boxes import architecture as architectures
from core.boxes import checksum
from core.boxes.checksum import Checksum
from core.boxes.http import visible
from core.boxes.versions import Constraint, Version
from core.errors import BoxwrightError, NotFoundError, UsageError


class Offer(msgspec.Struct, frozen=True):
    """A box for one provider and architecture."""

    name: str
    url: str
    checksum: str | None = None
    checksum_type: str | None = None
    architecture: str | None = None
    default_architecture: bool | None = None

    @property
    def expected(self) -> Checksum | None:
        """Raises UsageError where the catalogue's checksum is none."""
        if not self.checksum:
            return None
        if self.checksum_type:
            return checksum.of(self.checksum_type, self.checksum)
        return checksum.parse(self.checksum)

    @property
    def canonical_architecture(self) -> str:
        return architectures.canonical(self.architecture or "")


class Release(msgspec.Struct, frozen=True):
    """A version of a box."""

    version: str
    providers: tuple[Offer, ...] | None = None
    status: str | None = None

    @property
    def offers(self) -> tuple[Offer, ...]:
        return self.providers or ()


class Catalogue(msgspec.Struct, frozen=True):
    """What a catalogue says of one box."""

    name: str
    versions: tuple[Release, ...] = ()
    description: str | None = None

    def choose(self, constraint: str, providers: Sequence[str], architecture: str) -> tuple[Release, Offer]:
        """The newest version that satisfies ``constraint`` and is there for one of ``providers`` (most
        wanted first, () for any) and for ``architecture`` ("any" for whichever is the default).

        Raises NotFoundError that says what there is, UsageError for a wrong constraint.
        """
        wanted = Constraint(constraint)
        admitted = wanted.newest([each for each in self.versions if _usable(each)], _version)
        for release in admitted:
            offer = _best(release.offers, providers, architecture)
            if offer:
                return release, offer
        if not admitted:
            there = ", ".join(each.version for each in self.versions[:10]) or "none"
            raise NotFoundError(
                f"The catalogue of {self.name} has no version that satisfies '{wanted or '>= 0'}'.",
                why=f"It lists {there}.",
                remedy="choose another constraint with --box-version",
            )
        raise self._no_offer(admitted, providers, architecture)

    def _no_offer(
        self, releases: Sequence[Release], providers: Sequence[str], architecture: str
    ) -> NotFoundError:
        offers = [offer for release in releases for offer in release.offers]
        there = sorted({_label(offer) for offer in offers})
        wanted = " or ".join(providers) or "any provider"
        return NotFoundError(
            f"The catalogue of {self.name} has no box for {wanted} on {architecture or 'this machine'}.",
            why=f"It has boxes for {', '.join(there[:12]) or 'nothing'}.",
            remedy="choose with --provider and --architecture",
        )


def _usable(release: Release) -> bool:
    """Revoked versions and those whose number nobody can compare do not count."""
    if release.status in ("revoked", "unreleased"):
        return False
    try:
        Version(release.version)
    except UsageError:
        return False
    return True


def _version(release: Release) -> Version:
    return Version(release.version)


def _label(offer: Offer) -> str:
    return f"{offer.name} ({offer.architecture})" if offer.canonical_architecture else offer.name


def _best(offers: Sequence[Offer], providers: Sequence[str], architecture: str) -> Offer | None:
    for provider in providers or [offer.name for offer in offers]:
        fitting = [offer for offer in offers if offer.name == provider]
        if architecture == architectures.ANY:
            chosen = [offer for offer in fitting if offer.default_architecture] or fitting
        else:
            wanted = architectures.canonical(architecture)
            exact = [offer for offer in fitting if offer.canonical_architecture == wanted]
            silent = [offer for offer in fitting if not offer.canonical_architecture]
            chosen = exact or silent or ([] if wanted else fitting)
        if chosen:
            return chosen[0]
    return None


def parse(data: bytes, where: str) -> Catalogue:
    """Read a catalogue; ``where`` it came from is for messages. Raises BoxwrightError."""
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=Catalogue)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BoxwrightError(
            f"The catalogue {where} cannot be understood.",
            why=f"{error}",
            remedy="check the address; it should give a JSON document with 'name' and 'versions'",
        ) from error


def place_of(offer: Offer, catalogue: str) -> str:
    """Where the box of an offer lies: an address or an absolute path. ``catalogue`` is where the
    catalogue came from, to which relative places refer.

    Raises BoxwrightError where a catalogue from the network names a file of this computer.
    """
    remote = urlsplit(catalogue).scheme in ("http", "https")
    try:
        place = urljoin(catalogue, offer.url) if remote else offer.url
        scheme = urlsplit(place).scheme
    except ValueError as error:
        raise BoxwrightError(f"The catalogue names an impossible address, {offer.url[:200]!r}.") from error
    if scheme in ("http", "https"):
        return place
    if remote:
        raise BoxwrightError(
            f"The catalogue {visible(catalogue)} names a file of this computer, {offer.url[:200]!r}.",
            why="A catalogue from the network may only name addresses.",
            remedy="do not use this catalogue, or download the box by hand",
        )
    return str(Path(catalogue).parent / local_path(place))


def local_path(source: str) -> Path:
    """The path that a ``file://`` address or a plain path means. Raises UsageError for another host."""
    if not source.startswith("file:"):
        return Path(source).expanduser()
    parts = urlsplit(source)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(
            f"{source[:200]!r} names another computer.",
            why="file:// addresses have no host.",
            remedy="write file:///path with three slashes",
        )
    return Path(unquote(parts.path))
