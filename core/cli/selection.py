"""Which machines (or builds) are meant by names, patterns, or nothing at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from core import amounts
from core.cli.context import Context
from core.cli.suggestions import did_you_mean
from core.commands.names import is_pattern, matches
from core.errors import BoxwrightError, NotFoundError, RemoteError, UsageError
from core.model.machine import Machine
from core.model.query import GetMachines, Machines

_ID = re.compile(r"[0-9a-f]{4,12}")


class Chosen(msgspec.Struct, frozen=True):
    """Machines in the order of the project, and which of them were named one by one."""

    machines: tuple[Machine, ...]
    named: frozenset[str] = frozenset()
    """Names that stood on the command line as they are: it is an error where nothing can be done."""


def choose(
    context: Context, words: Sequence[str], default: Callable[[Machine], bool] = lambda machine: True
) -> Chosen:
    """The machines that the words mean; without words those of the project that ``default`` wants.

    A word may also be (the beginning of) a machine's id, as ``global-status`` shows it: this works
    from everywhere. Raises NotFoundError, and ConfigError's problem where the project cannot be read.
    """
    machines = _project_machines(context, words)
    if not words:
        return Chosen(tuple(machine for machine in machines if default(machine)))
    names = [machine.name for machine in machines]
    chosen: set[str] = set()
    elsewhere: list[Machine] = []
    for word in words:
        found = matches(word, names)
        if found:
            chosen.update(found)
        elif one := by_id(context, word):
            elsewhere.append(one)
        else:
            raise _unknown(word, names)
    picked = [machine for machine in machines if machine.name in chosen]
    picked += [machine for machine in elsewhere if machine not in picked]
    named = {word for word in words if not is_pattern(word)} | {machine.name for machine in elsewhere}
    return Chosen(tuple(picked), frozenset(named))


def _project_machines(context: Context, words: Sequence[str]) -> tuple[Machine, ...]:
    """A project is not needed where every word is the id of a machine."""
    try:
        machines, problem = context.machines()
    except NotFoundError:
        if words and all(_ID.fullmatch(word) for word in words):
            return ()
        raise
    if problem is not None and not machines:
        raise RemoteError(problem)
    if problem is not None:
        from core.cli.problem_lines import problem_lines

        for line in problem_lines(problem, context.output.err_look, label="warning"):
            context.output.tell(line)
    return machines


def by_id(context: Context, word: str) -> Machine | None:
    """The one machine of any project whose id begins with ``word``. Raises UsageError for several."""
    if not _ID.fullmatch(word):
        return None
    answer = context.session.query(GetMachines())
    assert isinstance(answer, Machines)
    found = [machine for machine in answer.machines if machine.id.startswith(word)]
    if len(found) > 1:
        named = [f"{machine.id} ({machine.name})" for machine in found]
        raise UsageError(f"Several machines have an id that begins with {word}.", why=amounts.listed(named))
    return found[0] if found else None


def _unknown(word: str, names: Sequence[str]) -> BoxwrightError:
    if is_pattern(word):
        what = f"No machine matches {word!r}."
    else:
        what = f"There is no machine {word!r} in this project."
    there = f"Its machines: {amounts.listed(names)}." if names else "It has no machines."
    return NotFoundError(what, why=did_you_mean(word, names) or there, remedy="boxwright status")


def one(context: Context, words: Sequence[str], action: str) -> Machine:
    """The single machine for commands that can only take one. Raises UsageError for several."""
    chosen = choose(context, words).machines
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise NotFoundError("This project has no machines.", remedy="boxwright init BOX")
    running = [machine for machine in chosen if machine.state.created]
    if not words and len(running) == 1:
        return running[0]
    names = amounts.listed([machine.name for machine in chosen])
    raise UsageError(
        f"{action} takes one machine; this means {len(chosen)}: {names}.",
        remedy=f"boxwright {action} {(running or chosen)[0].name}",
    )
