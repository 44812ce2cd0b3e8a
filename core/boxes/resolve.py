"""What a user meant by the source of a box: a file, an address, a catalogue or a name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from core.boxes import architecture as architectures
from core.boxes import catalogue as catalogues
from core.boxes import checksum, http
from core.boxes.catalogue import Catalogue
from core.boxes.checksum import Checksum
from core.boxes.formats import name_from
from core.boxes.http import visible
from core.boxes.limits import Limits
from core.boxes.streams import kind_of
from core.boxes.versions import Version
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.command import AddBox

DEFAULT_SERVER = "https://vagrantcloud.com"
SERVER_VARIABLES = ("BOXWRIGHT_SERVER", "VAGRANT_SERVER_URL")
_API = "/api/v2/vagrant"
_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_JSON = "application/json"


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """An archive, and what is known of the box in it before it is opened."""

    place: str
    """An address, or the absolute path of a file."""
    name: str
    version: str = "0"
    provider: str = ""
    """As the catalogue says it; "" where there is none."""
    architecture: str = ""
    expected: Checksum | None = None
    catalogue: str = ""
    description: str = ""

    @property
    def remote(self) -> bool:
        return is_remote(self.place)


class Found(msgspec.Struct, frozen=True):
    """A catalogue and where it lies."""

    catalogue: Catalogue
    place: str


def is_remote(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


async def resolve(
    command: AddBox, *, providers: Sequence[str], architecture: str, limits: Limits, known: bool = False
) -> Resolved:
    """Find the archive that ``command`` means; a catalogue is fetched where it takes one.

    ``known`` says that the source is an archive whose download began earlier.
    Raises NotFoundError, UsageError, and what :func:`core.boxes.http.fetch` raises.
    """
    expected = checksum.parse(command.checksum) if command.checksum else None
    if command.name and not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)*", command.name):
        raise UsageError(
            f"{command.name!r} cannot be the name of a box.", remedy="use letters, digits, '/', '.', '_', '-'"
        )
    found = None if known else await _catalogue(command, limits)
    if found is None:
        return _archive(command, expected)
    release, offer = found.catalogue.choose(command.version, providers, architecture)
    if command.name and command.name != found.catalogue.name:
        raise UsageError(
            f"The catalogue {visible(found.place)} is of {found.catalogue.name!r}, not of {command.name!r}.",
            remedy=f"leave the name out, or write --name {found.catalogue.name}",
        )
    return Resolved(
        place=catalogues.place_of(offer, found.place),
        name=found.catalogue.name,
        version=release.version.strip(),
        provider=offer.name,
        architecture=offer.canonical_architecture,
        expected=expected or offer.expected,
        catalogue=http.without_password(found.place) if is_remote(found.place) else found.place,
        description=(found.catalogue.description or "").strip()[:2000],
    )


def _archive(command: AddBox, expected: Checksum | None) -> Resolved:
    """A bare archive has neither name nor version: the user's, or its file's name and "0"."""
    place = (
        command.source
        if is_remote(command.source)
        else os.path.normpath(_existing(command.source).absolute())
    )
    name = command.name or name_from(urlsplit(place).path if is_remote(place) else place)
    if not name:
        raise UsageError(f"What shall the box from {visible(place)} be called?", remedy="add --name NAME")
    version = command.version.strip() or "0"
    Version(version)
    asked = architectures.canonical(command.architecture)
    return Resolved(
        place=place,
        name=name,
        version=version,
        architecture="" if asked == architectures.ANY else asked,
        expected=expected,
    )


async def find_catalogue(place: str, limits: Limits) -> Found:
    """The catalogue at an address or in a file, as a box remembers it. Raises BoxwrightError."""
    found = await _catalogue(AddBox(source=place), limits)
    if found is None:
        raise BoxwrightError(
            f"There is no catalogue at {visible(place)} any more.",
            why="Something else is there now.",
            remedy="boxwright box add --force SOURCE, to say where it is now",
        )
    return found


async def _catalogue(command: AddBox, limits: Limits) -> Found | None:
    """The catalogue that the source is or names; None where it is an archive."""
    source = command.source
    if is_remote(source):
        document = await http.fetch(source, limit=limits.document)
        if document.kind != "json":
            return None
        return Found(catalogues.parse(document.data, visible(source)), source)
    scheme = _SCHEME.match(source)
    if scheme and scheme[1].lower() != "file":
        raise UsageError(
            f"Boxes cannot be fetched over {scheme[1]}.", remedy="use http://, https:// or a file"
        )
    path = catalogues.local_path(source)
    if _NAME.fullmatch(source) and not path.exists():
        return await by_name(source, command.server, limits)
    return _read_local(_existing(source), limits)


def _existing(source: str) -> Path:
    path = catalogues.local_path(source)
    if not path.is_file():
        raise NotFoundError(
            f"There is no file {path}." if not path.is_dir() else f"{path} is a folder, not a box.",
            why="A box is given as a file, an address, a catalogue, or a name such as debian/bookworm64.",
            remedy="check the spelling",
        )
    return path


def _read_local(path: Path, limits: Limits) -> Found | None:
    with path.open("rb") as file:
        if kind_of(file.read(1024)) != "json":
            return None
        file.seek(0)
        data = file.read(limits.document + 1)
    if len(data) > limits.document:
        raise BoxwrightError(
            f"The catalogue {path} is far too large.", why="It should be a few pages of JSON."
        )
    return Found(catalogues.parse(data, str(path)), str(path.absolute()))


async def by_name(name: str, server: str, limits: Limits) -> Found:
    """Ask the catalogue server for a box by its name. Two shapes of its interface are tried:
    ``SERVER/USER/BOX`` and ``SERVER/api/v2/vagrant/USER/BOX``.

    Raises NotFoundError where the server has no such box.
    """
    base = server_address(server)
    tried: list[str] = []
    for prefix in ("", "" if base.endswith(_API) else _API):
        address = f"{base}{prefix}/{quote(name)}"
        if address in tried:
            continue
        tried.append(address)
        try:
            document = await http.fetch(address, limit=limits.document, accept=_JSON)
        except NotFoundError:
            continue
        if document.kind == "json":
            return Found(catalogues.parse(document.data, visible(address)), address)
    raise NotFoundError(
        f"The server {visible(base)} has no catalogue of {name}.",
        why=f"Neither of these gives a JSON document: {', '.join(visible(each) for each in tried)}.",
        remedy="check the name, or name another server with --server URL or BOXWRIGHT_SERVER",
    )


def server_address(given: str = "") -> str:
    """The catalogue server: the one given, $BOXWRIGHT_SERVER, $VAGRANT_SERVER_URL, or Vagrant's own."""
    configured = next((os.environ[name] for name in SERVER_VARIABLES if os.environ.get(name)), "")
    address = (given or configured or DEFAULT_SERVER).rstrip("/")
    if not is_remote(address):
        raise UsageError(f"{address!r} is not the address of a server.", remedy="write https://...")
    return address
