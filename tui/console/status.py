"""The line below a console: where the keys go, and what else one has to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from rich.cells import cell_len

from core import amounts
from tui.console.session import Session, SessionState
from tui.look.lines import Part, clean, cut, width_of
from tui.look.signs import Signs

if TYPE_CHECKING:
    from tui.console.lookback import Lookback


_BRIEFEST = 3


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    focused: bool
    typing: bool
    """Keys go to the guest."""
    lookback: Lookback | None = None
    finding: str | None = None
    """What is being typed into the search."""
    note: tuple[str, str] | None = None
    """A message and its role."""
    key: Callable[[str], str]
    """The user's key for a command, as people write it."""
    elsewhere: bool = False
    """Another console that is in sight has the keys."""
    named: bool = False
    """More than one console is in sight: say which this is."""
    width: int = 1 << 16
    """Columns of the line."""


def line(session: Session, situation: Situation, signs: Signs) -> list[Part]:
    found: list[Part] = []
    for brief in range(_BRIEFEST + 1):
        found = _line(session, situation, signs, brief)
        if width_of(found) <= situation.width:
            return found
    # How one gets out again is not what is cut off.
    last = found[-2:] if len(found) > 2 and found[-2][1] == "!accent" else []
    return [*_shortened(found[: len(found) - len(last)], situation.width - width_of(last), signs), *last]


def _shortened(parts: Sequence[Part], room: int, signs: Signs) -> list[Part]:
    kept: list[Part] = []
    for text, role in parts:
        if cell_len(text) > room:
            return [*kept, (f"{cut(text.rstrip(), room - 2, signs.ellipsis)}  ", role)] if room > 3 else kept
        kept.append((text, role))
        room -= cell_len(text)
    return kept


def _line(session: Session, situation: Situation, signs: Signs, brief: int) -> list[Part]:
    """``brief``: the higher, the more of what one can do without is left out."""
    parts: list[Part] = []
    if situation.named:
        named = (
            session.title if brief > 1 and session.whose else f"{session.whose} {signs.dot} {session.title}"
        )
        parts.append((f"{clean(named)}  ", "!text"))
    if session.recording is not None:
        parts.append((f"{signs.running} recording {amounts.clock(session.recording.seconds)}  ", "!bad"))
    if session in session.group and situation.finding is None:
        parts += _broadcast(session, brief)
    if situation.finding is not None:
        return [*parts, ("/", "!accent"), (clean(situation.finding), "text"), (signs.rail, "accent")]
    if situation.note is not None:
        return [*parts, situation.note]
    return [*parts, *_connection(session, situation, signs, brief), *_place(session, situation, signs, brief)]


def _broadcast(session: Session, brief: int) -> list[Part]:
    reached = [member for member in session.group if member.connected]
    if not set(reached) - {session}:
        return [("broadcast to nobody  " if brief else "broadcast, with nobody else yet  ", "warn")]
    if brief > 1:
        return [(f"BROADCAST to {len(reached)}  ", "!warn")]
    titles: dict[str, list[str]] = {}
    for member in reached:
        titles.setdefault(member.whose or member.name, []).append(member.title)
    names = [
        f"{owner} ({', '.join(sorted(its))})" if len(its) > 1 else owner
        for owner, its in sorted(titles.items())
    ]
    what = f"BROADCAST to {len(reached)}: {amounts.listed(names)}  "
    return [(clean(what), "!warn")]


def _connection(session: Session, situation: Situation, signs: Signs, brief: int) -> list[Part]:
    if session.state is SessionState.CONNECTING:
        return [(f"{signs.busy} connecting", "busy")]
    if session.state is SessionState.WAITING:
        why = session.why or "The connection is broken."
        keys = _way_out(situation)
        if not brief or (brief == 1 and situation.typing):
            why += " It is made anew when the guest answers."
        if brief in (1, 3) and situation.typing:
            # The border says how one leaves.
            keys = []
        return [(f"{signs.busy} {why}", "busy"), ("  " if keys else "", "muted"), *keys]
    return []


def _way_out(situation: Situation) -> list[Part]:
    """Of a console that cannot be typed in."""
    if situation.typing and situation.focused:
        return _offer(situation, "console.leave", "leaves")
    return _offer(situation, "workbench.close-tab", "closes it")


def _offer(situation: Situation, id: str, does: str) -> list[Part]:
    """The user's key for a command; nothing where it has none."""
    key = situation.key(id)
    return [(key, "!accent"), (f" {does}", "muted")] if key else []


def _and(*offers: list[Part]) -> list[Part]:
    """Beside each other."""
    found: list[Part] = []
    for offer in filter(None, offers):
        found += [*([("  ", "muted")] if found else []), *offer]
    return found


def _place(session: Session, situation: Situation, signs: Signs, brief: int) -> list[Part]:
    if session.state is SessionState.CLOSED and session.gone:
        gone = f"{signs.failed} The machine is gone.  "
        return [(gone, "warn"), *_offer(situation, "console.type", "closes this tab")]
    if session.state is SessionState.CLOSED:
        text = "" if session.problem or not session.why else f"{signs.failed} {session.why}  "
        again = _offer(situation, "console.type", "connects again")
        return [(text, "warn"), *(again if brief else _and(again, _way_out(situation)))]
    if session.state is not SessionState.OPEN:
        return []
    scrolled = session.screen.scrolled if session.screen is not None else 0
    if situation.elsewhere:
        return _offer(situation, "console.other", "comes here")
    if not situation.focused:
        closes = _offer(situation, "workbench.close-tab", "closes it")
        return _and(_offer(situation, "workbench.open", "comes here"), [] if brief else closes)
    if not situation.typing:
        return _looking(situation, scrolled, brief)
    if scrolled:
        return [(f"{scrolled:,} lines back  {signs.down} a key goes to the end", "accent")]
    if session.caption:
        caption = (f"{session.caption}   ", "accent")
        drives: list[Part] = [
            ("space", "!accent"), (" pause  ", "muted"),
            ("left right", "!accent"), (" 5 s  ", "muted"),
            ("+ -", "!accent"), (" speed  ", "muted"),
        ]  # fmt: skip
        return [caption, *drives[: 6 - 2 * brief], *_offer(situation, "workbench.back", "lists")]
    rest = "" if brief else "; every other key goes to the guest"
    return _offer(situation, "console.leave", f"leaves{rest}")


def _looking(situation: Situation, scrolled: int, brief: int) -> list[Part]:
    lookback = situation.lookback
    parts: list[Part] = [] if brief else [("keys are the workbench's  ", "accent")]
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
        *_and(
            _offer(situation, "console.type", "types"),
            _offer(situation, "workbench.back", "lists" if brief else "goes to the lists"),
        ),
    ]
