"""Commands on boxes."""

from __future__ import annotations

from core.commands.spec import Argument, ArgumentKind, CommandSpec, Subject
from core.model import command

_NAMES = Argument(
    field="names", kind=ArgumentKind.WORDS, metavar="BOX", help="names of boxes; all where none is given"
)
_PROVIDER = Argument(
    field="provider", flags=("--provider",), metavar="PROVIDER", help="the box for this provider"
)


BOX_COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        id="box.add",
        verb=("box", "add"),
        title="Add box",
        help="Add a box from a file, a URL, a catalogue, or by its name from the catalogue server.",
        struct=command.AddBox,
        key="a",
        arguments=(
            Argument(
                field="source",
                kind=ArgumentKind.SOURCE,
                metavar="SOURCE",
                help="name, file, URL or catalogue",
                required=True,
            ),
            Argument(
                field="name", flags=("--name",), metavar="NAME", help="the name that a bare archive gets"
            ),
            Argument(
                field="version",
                flags=("--box-version",),
                metavar="VERSION",
                help="constraint for a catalogue, e.g. '>= 12.0, < 13'; version of a bare archive",
            ),
            _PROVIDER,
            Argument(
                field="architecture",
                flags=("--architecture",),
                metavar="ARCH",
                help="e.g. amd64; 'any' for the first that is listed",
            ),
            Argument(
                field="checksum",
                flags=("--checksum",),
                metavar="SUM",
                help="of the archive, e.g. sha256:...; md5, sha1, sha256, sha384 or sha512",
            ),
            Argument(field="server", flags=("--server",), metavar="URL", help="catalogue server for names"),
            Argument(
                field="force",
                flags=("-f", "--force"),
                kind=ArgumentKind.FLAG,
                help="replace the same version of the box",
            ),
        ),
    ),
    CommandSpec(id="box.list", verb=("box", "list"), title="Boxes", help="List the boxes in the store."),
    CommandSpec(
        id="box.show",
        verb=("box", "show"),
        title="Show box",
        help="Show all that is known about a box, and which machines are linked to it.",
        subject=Subject.BOX,
    ),
    CommandSpec(
        id="box.search",
        verb=("box", "search"),
        title="Search boxes",
        help="Look for boxes in the store and on the catalogue server.",
        struct=command.SearchBoxes,
        arguments=(
            Argument(field="text", metavar="TEXT", help="a part of the name", required=True),
            Argument(field="server", flags=("--server",), metavar="URL", help="catalogue server"),
        ),
    ),
    CommandSpec(
        id="box.outdated",
        verb=("box", "outdated"),
        title="Outdated",
        help="Ask the catalogues whether there are newer versions.",
        struct=command.OutdatedBoxes,
        key="o",
    ),
    CommandSpec(
        id="box.update",
        verb=("box", "update"),
        title="Update",
        help="Add the newest version of boxes that came from a catalogue.",
        struct=command.UpdateBox,
        arguments=(_NAMES,),
    ),
    CommandSpec(
        id="box.remove",
        verb=("box", "remove"),
        title="Remove box",
        help="Remove a box from the store.",
        subject=Subject.BOX,
        struct=command.RemoveBox,
        key="d",
        destructive=True,
        arguments=(
            Argument(field="name", metavar="BOX", help="the box's name", required=True),
            Argument(
                field="version",
                flags=("--box-version",),
                metavar="VERSION",
                help="which version; 'all' for every one",
            ),
            _PROVIDER,
            Argument(
                field="force",
                flags=("-f", "--force"),
                kind=ArgumentKind.FLAG,
                help="even when machines are linked to it",
            ),
        ),
    ),
    CommandSpec(
        id="box.prune",
        verb=("box", "prune"),
        title="Prune",
        help="Remove superseded versions that no machine is linked to, and leftovers.",
        struct=command.PruneBoxes,
        destructive=True,
        arguments=(
            _NAMES,
            Argument(
                field="dry_run",
                flags=("-n", "--dry-run"),
                kind=ArgumentKind.FLAG,
                help="only say what would go and how much it would free",
            ),
        ),
    ),
    CommandSpec(
        id="box.verify",
        verb=("box", "verify"),
        title="Verify",
        help="Read every byte of the boxes again and compare checksums.",
        struct=command.VerifyBoxes,
        key="v",
        arguments=(_NAMES,),
    ),
    CommandSpec(
        id="box.import",
        verb=("box", "import"),
        title="Import",
        help="Import the boxes of an existing Vagrant.",
        struct=command.ImportBoxes,
        arguments=(
            Argument(
                field="folder",
                kind=ArgumentKind.LOCAL_PATH,
                metavar="FOLDER",
                help="Vagrant's home; without it ~/.vagrant.d",
            ),
        ),
    ),
)
