"""The line below a console: where the keys go, and what else one has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core import amounts
from tui.console.session import Session, SessionState
from tui.look.lines import Part, clean
from tui.look.signs import Signs

if TYPE_CHECKING:
    from tui.console.lookback import Lookback


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    focused: bool
    typing: bool
    """Keys go to the guest."""
    lookback: Lookback | None = None
    finding: str | None = None
    """What is being typed into the search."""
    note: tuple[str, str] | None = None
    """A message and its role."""
    leave: str
    """The chord that leaves, as people write it."""
    named: bool = False
    """More than one console is in sight: say which this is."""


def line(session: Session, situation: Situation, signs: Signs) -> list[Part]:
    parts: list[Part] = []
    if situation.named:
        parts.append((f"{clean(session.owner)} {signs.dot} {clean(session.title)}  ", "!text"))
    if session.recording is not None:
        parts.append((f"{signs.running} recording {amounts.clock(session.recording.seconds)}  ", "!bad"))
    if session in session.group and situation.finding is None:
        parts += _broadcast(session)
    if situation.finding is not None:
        return [*parts, ("/", "!accent"), (clean(situation.finding), "text"), (signs.rail, "accent")]
    if situation.note is not None:
        return [*parts, situation.note]
    return [*parts, *_connection(session, signs), *_place(session, situation, signs)]


def _broadcast(session: Session) -> list[Part]:
    if len(session.group) < 2:
        return [("broadcast, with nobody else yet  ", "warn")]
    names = sorted({member.owner or member.name for member in session.group})
    what = f"BROADCAST to {len(session.group)}: {amounts.listed(names)}  "
    return [(clean(what), "!warn")]


def _connection(session: Session, signs: Signs) -> list[Part]:
    if session.state is SessionState.CONNECTING:
        return [(f"{signs.busy} connecting", "busy")]
    if session.state is SessionState.WAITING:
        why = session.why or "The connection is broken."
        return [(f"{signs.busy} {why} It is made anew when the guest answers.", "busy")]
    return []


def _place(session: Session, situation: Situation, signs: Signs) -> list[Part]:
    if session.state is SessionState.CLOSED and session.gone:
        gone = f"{signs.failed} The machine was destroyed.  "
        return [(gone, "warn"), ("enter", "!accent"), (" closes this tab", "muted")]
    if session.state is SessionState.CLOSED:
        text = "" if session.problem or not session.why else f"{signs.failed} {session.why}  "
        return [(text, "warn"), ("enter", "!accent"), (" connects again", "muted")]
    if session.state is not SessionState.OPEN:
        return []
    scrolled = session.screen.scrolled if session.screen is not None else 0
    if not situation.focused:
        return [("enter", "!accent"), (" types here   ", "muted"), ("w", "!accent"), (" closes it", "muted")]
    if not situation.typing:
        return _looking(situation, scrolled)
    if scrolled:
        return [(f"{scrolled:,} lines back  {signs.down} a key goes to the end", "accent")]
    if session.caption:
        return [
            (f"{session.caption}   ", "accent"),
            ("space", "!accent"), (" pause  ", "muted"),
            ("left right", "!accent"), (" 5 s  ", "muted"),
            ("+ -", "!accent"), (" speed  ", "muted"),
            (situation.leave, "!accent"), (" leaves", "muted"),
        ]  # fmt: skip
    return [(situation.leave, "!accent"), (" leaves; every other key goes to the guest", "muted")]


def _looking(situation: Situation, scrolled: int) -> list[Part]:
    lookback = situation.lookback
    parts: list[Part] = [("keys are the workbench's  ", "accent")]
    if lookback is not None and lookback.wanted:
        count = len(lookback.matches)
        at = f"{lookback.match + 1} of {count:,}" if count else "not found"
        parts = [(f"/{clean(lookback.wanted)}: {at}  ", "accent")]
    elif lookback is not None and lookback.anchor is not None:
        parts = [("selecting  ", "accent")]
    held = lookback.held if lookback is not None else None
    if held is not None:
        scrolled = held.scrolled
        if held.behind:
            parts.append((f"held, {amounts.count(held.behind, 'new line')} behind  ", "accent"))
    if scrolled:
        parts.append((f"{scrolled:,} lines back  ", "accent"))
    return [
        *parts,
        ("enter", "!accent"), (" types  ", "muted"),
        ("esc", "!accent"), (" goes to the lists", "muted"),
    ]  # fmt: skip
