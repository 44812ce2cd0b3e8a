"""What names mean where an expression stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from core.templates.functions.signature import Function, Place
from core.templates.problems import Fault, meant
from core.templates.source import Span
from core.templates.values.value import Value, object_of


class Namespace:
    """A root like ``var`` or ``local`` whose members are worked out when they are asked for.

    ``find`` gives a member's value, or a namespace of its own; it may raise Fault. ``noun`` is what a
    member is, for errors.
    """

    def __init__(
        self,
        noun: str,
        names: Iterable[str],
        find: Callable[[str, Span], Value | Namespace],
        remedy: str = "",
    ) -> None:
        self.noun = noun
        self.names = tuple(names)
        self._find = find
        self._remedy = remedy

    def get(self, name: str, at: Span) -> Value | Namespace:
        if name not in self.names:
            known = f"There {'are' if len(self.names) > 1 else 'is'} {', '.join(sorted(self.names)[:12])}."
            raise Fault(
                f'There is no {self.noun} "{name}".',
                at,
                why=known if self.names else f"There is no {self.noun} at all.",
                remedy=meant(name, self.names) or self._remedy.replace("NAME", name),
            )
        return self._find(name, at)

    def whole(self, at: Span) -> Value:
        found = {name: self._find(name, at) for name in self.names}
        return object_of(
            {name: one.whole(at) if isinstance(one, Namespace) else one for name, one in found.items()}
        )


class Scope:
    """Names and functions; ``within`` adds names for the inside of a ``for`` or a dynamic block."""

    def __init__(
        self,
        place: Place,
        functions: Mapping[str, Function],
        roots: Mapping[str, Namespace | Value],
        *,
        refused: Mapping[str, str] | None = None,
    ) -> None:
        self.place = place
        self.functions = functions
        self.roots = dict(roots)
        self.refused = dict(refused or {})
        """Names of roots and functions that exist but not here: why."""

    def within(self, names: Mapping[str, Namespace | Value]) -> Scope:
        return Scope(self.place, self.functions, {**self.roots, **names}, refused=self.refused)

    def root(self, name: str, at: Span) -> Namespace | Value:
        found = self.roots.get(name)
        if found is None:
            if name in self.refused:
                raise Fault(f'"{name}" has no meaning here.', at, why=self.refused[name])
            raise Fault(
                f'"{name}" is not known here.',
                at,
                why=f"A reference begins with {', '.join(sorted(self.roots))}." if self.roots else "",
                remedy=meant(name, self.roots) or f'put text into quotes: "{name}"',
            )
        return found
