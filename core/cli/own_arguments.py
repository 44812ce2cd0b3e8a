"""Arguments that only the command line has: those of commands which are no operation of the engine."""

from __future__ import annotations

from core.commands import Argument, ArgumentKind
from core.commands.builds import VARIABLES

_FOLLOW = Argument(
    field="follow", flags=("-f", "--follow"), kind=ArgumentKind.FLAG, help="go on printing what comes"
)
_BOX_VERSION = Argument(
    field="version", flags=("--box-version",), metavar="VERSION", help="only this version"
)
_BOX_PROVIDER = Argument(
    field="provider", flags=("--provider",), metavar="PROVIDER", help="only for this provider"
)
_TEMPLATE = Argument(
    field="template",
    kind=ArgumentKind.LOCAL_PATH,
    metavar="FILE|FOLDER",
    help="a template in JSON or HCL2, or a folder of *.pkr.hcl files",
    required=True,
)
_REPLACE = Argument(
    field="force",
    flags=("-f", "--force"),
    kind=ArgumentKind.FLAG,
    help="replace a file that is there",
)

OWN: dict[str, tuple[Argument, ...]] = {
    "workbench": (
        Argument(
            field="read_only",
            flags=("--read-only",),
            kind=ArgumentKind.FLAG,
            help="open it without keys that change anything",
        ),
    ),
    "machine.ssh": (
        Argument(
            field="command",
            flags=("-c", "--command"),
            metavar="COMMAND",
            help="run this in the machine and exit with its status",
        ),
        Argument(
            field="forward_agent",
            flags=("-A", "--forward-agent"),
            kind=ArgumentKind.FLAG,
            help="lend the machine your SSH agent",
        ),
    ),
    "machine.ssh-config": (
        Argument(field="host", flags=("--host",), metavar="NAME", help="the name that the entry gets"),
    ),
    "machine.serial": (
        Argument(
            field="log",
            flags=("--log",),
            kind=ArgumentKind.FLAG,
            help="only print what the console said so far",
        ),
    ),
    "machine.port": (
        Argument(
            field="guest",
            flags=("--guest",),
            kind=ArgumentKind.NUMBER,
            metavar="PORT",
            help="print only the host's port for this port of the machine",
        ),
    ),
    "build.run": (
        Argument(
            field="timestamps",
            flags=("-timestamp-ui", "--timestamps"),
            kind=ArgumentKind.FLAG,
            help="plain lines of output, each with the time (UTC)",
        ),
    ),
    "build.screen": (
        Argument(
            field="names",
            kind=ArgumentKind.WORDS,
            metavar="MACHINE|BUILD",
            help="names or patterns; else the only one that has a screen now",
        ),
        Argument(
            field="source", flags=("--source",), metavar="SOURCE", help="of several sources, the one meant"
        ),
        Argument(
            field="output",
            flags=("-o", "--output"),
            kind=ArgumentKind.LOCAL_PATH,
            metavar="FILE",
            help="save it as a PNG file; without it, it is drawn in the terminal",
        ),
        Argument(
            field="follow",
            flags=("-f", "--follow"),
            kind=ArgumentKind.FLAG,
            help="go on drawing what comes, until the machine ends",
        ),
    ),
    "box.list": (
        Argument(field="patterns", kind=ArgumentKind.WORDS, metavar="BOX", help="names or patterns"),
    ),
    "box.show": (
        Argument(field="name", metavar="BOX", help="the box's name", required=True),
        _BOX_VERSION,
        _BOX_PROVIDER,
    ),
    "template.inspect": (_TEMPLATE, *VARIABLES),
    "template.validate": (
        _TEMPLATE,
        *VARIABLES,
        Argument(
            field="syntax_only",
            flags=("--syntax-only", "-syntax-only"),
            kind=ArgumentKind.FLAG,
            help="do not ask for values of variables, nor look for files",
        ),
        Argument(
            field="evaluate_data",
            flags=("--evaluate-datasources", "-evaluate-datasources"),
            kind=ArgumentKind.FLAG,
            help="ask sources of data, too; without it what they find is left open",
        ),
    ),
    "template.console": (
        Argument(
            field="template",
            kind=ArgumentKind.LOCAL_PATH,
            metavar="FILE|FOLDER",
            help="a template whose variables and locals are known then",
        ),
        *VARIABLES,
        Argument(
            field="expression",
            flags=("-e", "--expression"),
            kind=ArgumentKind.WORDS,
            metavar="EXPRESSION",
            help="work this out and exit (repeatable); else lines are read from standard input",
        ),
    ),
    "template.fmt": (
        Argument(
            field="paths",
            kind=ArgumentKind.WORDS,
            metavar="FILE|FOLDER",
            help="HCL2 files, or folders of them; '-' for standard input; else the current folder",
        ),
        Argument(
            field="check",
            flags=("--check", "-check"),
            kind=ArgumentKind.FLAG,
            help="write nothing; fail where a file is not laid out",
        ),
        Argument(field="diff", flags=("--diff", "-diff"), kind=ArgumentKind.FLAG, help="show what changes"),
        Argument(
            field="recursive",
            flags=("-r", "--recursive", "-recursive"),
            kind=ArgumentKind.FLAG,
            help="folders within folders too",
        ),
    ),
    "template.convert": (
        _TEMPLATE,
        Argument(field="to", flags=("--to",), metavar="LANGUAGE", help="hcl, json or toml", required=True),
        *VARIABLES,
        Argument(
            field="output",
            flags=("-o", "--output"),
            metavar="FILE",
            help="where to write it; else to standard output",
        ),
        _REPLACE,
    ),
    "project.init": (
        Argument(field="box", metavar="BOX", help="a box's name, file or URL"),
        Argument(
            field="template",
            flags=("-t", "--template"),
            metavar="TEMPLATE",
            help="begin with a template; 'list' names them",
        ),
        Argument(field="name", flags=("--name",), metavar="NAME", help="the project's name"),
        _REPLACE,
    ),
    "operation.list": (
        Argument(
            field="running", flags=("--running",), kind=ArgumentKind.FLAG, help="only those that run or wait"
        ),
        Argument(
            field="limit",
            flags=("-n", "--limit"),
            kind=ArgumentKind.NUMBER,
            metavar="N",
            help="at most N, the newest (20)",
        ),
    ),
    "operation.show": (Argument(field="operation", metavar="OP", help="id of an operation", required=True),),
    "operation.cancel": (
        Argument(field="operations", kind=ArgumentKind.WORDS, metavar="OP", help="ids of operations"),
    ),
    "operation.logs": (
        Argument(
            field="what",
            metavar="OP|MACHINE",
            help="id of an operation, or a machine or build for its last one; without it, the last of all",
        ),
        _FOLLOW,
        Argument(
            field="step",
            flags=("--step",),
            kind=ArgumentKind.NUMBER,
            metavar="N",
            help="only what step N and those below it wrote",
        ),
    ),
    "engine.stop": (
        Argument(
            field="force",
            flags=("-f", "--force"),
            kind=ArgumentKind.FLAG,
            help="cancel what runs; without it, a busy engine is not stopped",
        ),
    ),
    "engine.log": (
        _FOLLOW,
        Argument(
            field="lines",
            flags=("-n", "--lines"),
            kind=ArgumentKind.NUMBER,
            metavar="N",
            help="only the last N lines (200)",
        ),
    ),
    "completion": (Argument(field="shell", metavar="SHELL", help="bash, zsh or fish", required=True),),
    "help": (Argument(field="words", kind=ArgumentKind.WORDS, metavar="COMMAND", help="a command"),),
}

ONE_MACHINE = ("machine.ssh", "machine.serial")
"""Commands that take a single machine."""

MACHINE_LAST = ("machine.upload", "machine.download")
"""Commands whose machine comes after their other arguments and may be left out."""

TAKES_REST = ("machine.ssh",)
"""Commands that hand on what comes after ``--``."""
