"""Pasting into a guest: much of it only after a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from core import amounts
from tui.console.session import Session
from tui.look.lines import clean, cut

_LINES_IN_BRACKETS = 50
_BYTES = 100_000
_SHOWN = 4


def needs_question(text: str, *, bracketed: bool) -> bool:
    """Without brackets a shell runs every line as it comes."""
    lines = _lines(text)
    return lines > (_LINES_IN_BRACKETS if bracketed else 1) or len(text) > _BYTES


def _lines(text: str) -> int:
    return len(text.splitlines())


def confirm_paste(app: App[Any], text: str, session: Session, send: Callable[[], None]) -> None:
    """Calls ``send`` at once, or when it was confirmed."""
    screens = [member.screen for member in session.audience if member.screen is not None]
    bracketed = all(screen.modes.bracketed_paste for screen in screens)
    if not needs_question(text, bracketed=bracketed):
        send()
        return
    from tui.dialogs.confirm import Confirm, Question

    lines = text.splitlines()
    shown = [cut(clean(line), 60) for line in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        shown.append(f"and {amounts.count(len(lines) - _SHOWN, 'more line')}")
    run = "" if bracketed else "; it runs each line as it comes"
    where = amounts.listed(sorted({member.whose or member.name for member in session.audience}))
    what = f"{amounts.count(len(lines), 'line')}, {len(text):,} characters, to {where}{run}"
    question = Question(title="Paste this?", goes=(what, *shown), yes="Paste")
    app.push_screen(Confirm(question), lambda yes: send() if yes else None)
