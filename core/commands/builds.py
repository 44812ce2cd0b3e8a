"""Commands on builds and on what they keep."""

from __future__ import annotations

from core.commands.spec import Argument, ArgumentKind, CommandSpec, Subject
from core.model import command

VARIABLES: tuple[Argument, ...] = (
    Argument(
        field="variables",
        flags=("-var", "--var"),
        kind=ArgumentKind.WORDS,
        metavar="NAME=VALUE",
        help="the value of a template's variable (repeatable)",
        secret=True,
    ),
    Argument(
        field="variable_files",
        flags=("-var-file", "--var-file"),
        kind=ArgumentKind.WORDS,
        metavar="FILE",
        help="a file with values of variables (repeatable)",
    ),
)
"""Of every command that takes a template."""

_ARGUMENTS: tuple[Argument, ...] = (
    Argument(
        field="force",
        flags=("-f", "-force", "--force"),
        kind=ArgumentKind.FLAG,
        help="even when nothing changed, and over artifacts that are there",
    ),
    Argument(
        field="only",
        flags=("-only", "--only"),
        kind=ArgumentKind.WORDS,
        metavar="SOURCES",
        help="only these sources of a template: names or patterns, with commas or repeated",
    ),
    Argument(
        field="exclude",
        flags=("-except", "--except"),
        kind=ArgumentKind.WORDS,
        metavar="SOURCES",
        help="all but these sources and post-processors",
    ),
    *VARIABLES,
    Argument(
        field="parallel",
        flags=("-parallel-builds", "--parallel"),
        kind=ArgumentKind.NUMBER,
        metavar="N",
        help="at most N sources at the same time (0: all)",
    ),
    Argument(
        field="on_error",
        flags=("-on-error", "--on-error"),
        metavar="WHAT",
        help="cleanup, abort, ask or run-cleanup-provisioner",
    ),
    Argument(
        field="no_cache",
        flags=("--no-cache",),
        kind=ArgumentKind.FLAG,
        help="begin at the beginning, whatever was kept of earlier builds",
    ),
)

BUILD_COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        id="build.run",
        verb=("build",),
        title="Build",
        help="Run builds of the project, or a template of Packer's.",
        subject=Subject.BUILD,
        struct=command.RunBuild,
        key="b",
        arguments=_ARGUMENTS,
    ),
    CommandSpec(
        id="build.answer",
        verb=("answer",),
        title="Answer",
        help="Say what a running build is to do about a step that failed: retry, keep, clean or abort.",
        subject=Subject.BUILD,
        struct=command.AnswerBuild,
        arguments=(
            Argument(
                field="answer", metavar="ANSWER", help="one of the answers that are asked for", required=True
            ),
        ),
    ),
    CommandSpec(
        id="build.screen",
        verb=("screen",),
        title="Screen",
        help="Show the screen of a machine, or of the one that a build works on; save it as a picture (PNG).",
        key="i",
    ),
    CommandSpec(
        id="layer.list",
        verb=("layer", "list"),
        title="Layers",
        help="List the states that builds kept after their steps, with their sizes.",
    ),
    CommandSpec(
        id="layer.prune",
        verb=("layer", "prune"),
        title="Prune layers",
        help="Remove states that builds kept; the most recently used stay.",
        struct=command.PruneLayers,
        arguments=(
            Argument(
                field="keep",
                flags=("--keep",),
                metavar="SIZE",
                help="how much may stay; without it the limit",
            ),
            Argument(
                field="kept",
                flags=("--kept",),
                kind=ArgumentKind.FLAG,
                help="also machines that failed builds left as they were",
            ),
        ),
    ),
)
