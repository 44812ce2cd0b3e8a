"""Asks before something is lost."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.cli.context import Context
from core.errors import CancelledError, UsageError


def confirm(context: Context, question: str, *, goes: Sequence[str], stays: str = "") -> None:
    """Ask on the terminal, naming what goes and what stays; the answer is no unless it is yes.

    Raises CancelledError for a no, UsageError where nobody can be asked. With --yes nothing is asked.
    """
    if context.options.yes:
        return
    output = context.output
    if not (sys.stdin and sys.stdin.isatty()):
        raise UsageError(
            f"{question.rstrip('?')}: this must be confirmed, and there is no terminal to ask on.",
            why=f"What would go: {'; '.join(goes)}.",
            remedy="add --yes",
        )
    look = output.err_look
    for text in goes:
        output.tell(f"  {look.paint('goes', 'red')}   {text}")
    if stays:
        output.tell(f"  {look.paint('stays', 'green')}  {stays}")
    output.err.write(f"{look.paint(question, 'bold')} [y/N] ")
    output.err.flush()
    answer = sys.stdin.readline()
    if not answer:
        output.tell("")
    if answer.strip().lower() not in ("y", "yes"):
        raise CancelledError("Nothing was done.")
