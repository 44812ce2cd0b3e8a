"""Commands: what can be asked of the engine. One struct each, frozen, plain data.

What they are called, their keys, arguments and help stand in :mod:`core.commands`.
"""

from __future__ import annotations

import msgspec

from core.model.machine import MachineKey


class _MachineCommand(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
    machine: MachineKey


class Up(_MachineCommand, frozen=True, tag="machine.up"):
    """Create where needed, start, wait for the guest, provision at the first time."""

    provision: bool | None = None
    """True: run all provisioners; False: none; None: those that are due."""
    provider: str = ""
    """Overrides the project's choice; only before the machine is created."""


class Halt(_MachineCommand, frozen=True, tag="machine.halt"):
    force: bool = False


class Suspend(_MachineCommand, frozen=True, tag="machine.suspend"):
    pass


class Resume(_MachineCommand, frozen=True, tag="machine.resume"):
    pass


class Migrate(_MachineCommand, frozen=True, tag="machine.migrate"):
    target: str
    """Where to, in the words of its provider, e.g. ``qemu+ssh://host/system``."""


class Reload(_MachineCommand, frozen=True, tag="machine.reload"):
    """Halt and up again, with the project file as it is now."""

    force: bool = False
    provision: bool | None = None


class Destroy(_MachineCommand, frozen=True, tag="machine.destroy"):
    purge: bool = False
    """Keep nothing by which it could be brought back."""


class Recover(_MachineCommand, frozen=True, tag="machine.recover"):
    """Bring back what was destroyed last under this name, stopped. The machine must not exist."""


class PruneDestroyed(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="destroyed.prune"):
    """Remove for good what was destroyed. The result: {"removed": names, "freed": bytes}."""


class Clone(_MachineCommand, frozen=True, tag="machine.clone"):
    """Running linked copies, each with an identity of its own. The result: {"machines": names}."""

    count: int = 1
    name: str = ""
    """Copies are called ``<name>-2``, ``<name>-3`` ...; "" for the machine's own name."""


class Provision(_MachineCommand, frozen=True, tag="machine.provision"):
    only: tuple[str, ...] = ()
    """Names of provisioners; () for all that run."""
    start_at: int = 0
    """Begin with this provisioner, counted from 1; 0 and 1: from the first."""


class Upload(_MachineCommand, frozen=True, tag="machine.upload"):
    source: str
    """Absolute path on the host."""
    target: str


class Download(_MachineCommand, frozen=True, tag="machine.download"):
    source: str
    target: str
    """Absolute path on the host."""


class SaveSnapshot(_MachineCommand, frozen=True, tag="snapshot.save"):
    name: str


class RestoreSnapshot(_MachineCommand, frozen=True, tag="snapshot.restore"):
    name: str


class DeleteSnapshot(_MachineCommand, frozen=True, tag="snapshot.delete"):
    name: str


class AddBox(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.add"):
    source: str
    """A file (absolute), a URL, a catalogue's JSON (file or URL), or a name such as ``debian/bookworm64``."""
    name: str = ""
    """For a bare archive: the box's name. From a catalogue it must agree."""
    version: str = ""
    """A constraint for a catalogue; for a bare archive the version it gets ("0" without one)."""
    provider: str = ""
    """Comma-separated, most wanted first; "" for whatever is usable here."""
    architecture: str = ""
    """"" for this machine's; "any" for whichever is listed first."""
    checksum: str = ""
    """``sha256:HEX`` and the like; md5, sha1, sha256, sha384, sha512."""
    server: str = ""
    """Base address of the catalogue server for a name; "" for the configured one."""
    force: bool = False
    """Replace a box of the same key."""


class UpdateBox(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.update"):
    """Add the newest version of boxes that came from a catalogue."""

    names: tuple[str, ...] = ()
    """() for all."""


class OutdatedBoxes(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.outdated"):
    """Ask the catalogues for newer versions. The result: a list of {name, provider, installed, newest}."""


class SearchBoxes(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.search"):
    """Look for boxes in the store and on the catalogue server.

    The result: [{name, version, providers, description, downloads, here, usable}]."""

    text: str
    server: str = ""
    """Base address of the catalogue server; "" for the configured one."""


class RemoveBox(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.remove"):
    name: str
    version: str = ""
    """"" where the name has one version only; "all" for every version."""
    provider: str = ""
    force: bool = False
    """Even when machines are linked to it: those will not start any more."""


class PruneBoxes(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.prune"):
    """Remove superseded versions that no machine is linked to, and leftovers.

    The result: {"removed": [{what, bytes}], "freed": bytes, "dry_run": bool}."""

    names: tuple[str, ...] = ()
    dry_run: bool = False


class VerifyBoxes(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.verify"):
    """Read every byte again and compare with the checksums of the store."""

    names: tuple[str, ...] = ()


class ImportBoxes(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="box.import"):
    """Import the boxes of Vagrant. The result: {"imported": [...], "skipped": [{box, why}]}."""

    folder: str = ""
    """Vagrant's home; "" for ``~/.vagrant.d``."""


class RunBuild(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="build.run"):
    """A build of a project, or the sources of a template of Packer's.

    The result: {"box", "version", "text"} where a box was made, else
    {"artifacts": [{source, id, text, files}]}."""

    project: str
    """For a template by itself: its folder."""
    name: str
    """For a template by itself: what it is called."""
    template: str = ""
    """Absolute path of a template, where it is no build of a project."""
    force: bool = False
    """Build even when nothing changed, and replace artifacts that are there."""
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    """``NAME=VALUE``; values may be secret."""
    variable_files: tuple[str, ...] = ()
    """Absolute paths."""
    environment: dict[str, str] = {}
    """Of whoever asked: ``PKR_VAR_...`` and what templates read."""
    cwd: str = ""
    """The folder in which the build was asked for: relative paths of templates start there."""
    parallel: int = 0
    """Sources at the same time; 0: all."""
    on_error: str = ""
    """``cleanup`` (also ""), ``abort``, ``ask`` or ``run-cleanup-provisioner``."""
    debug: bool = False
    """Ask before each step."""
    no_cache: bool = False


class AnswerBuild(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="build.answer"):
    """What to do about a step of a running build that failed, or that waits to be begun.

    The result: {"asks"}, the next question, where the build asks more than one at once, else {}."""

    project: str
    name: str
    answer: str


class PruneLayers(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="layer.prune"):
    """Remove states that builds kept. The result: {"removed": [{"layer", "bytes"}], "freed": bytes}."""

    keep: str = ""
    """A size that may stay, the most recently used first; "" for the limit, "0" for nothing."""
    kept: bool = False
    """Also machines that failed builds left running, as was asked."""


Command = (
    Up
    | Halt
    | Suspend
    | Resume
    | Migrate
    | Reload
    | Destroy
    | Recover
    | PruneDestroyed
    | Clone
    | Provision
    | Upload
    | Download
    | SaveSnapshot
    | RestoreSnapshot
    | DeleteSnapshot
    | AddBox
    | UpdateBox
    | OutdatedBoxes
    | SearchBoxes
    | RemoveBox
    | PruneBoxes
    | VerifyBoxes
    | ImportBoxes
    | RunBuild
    | AnswerBuild
    | PruneLayers
)
