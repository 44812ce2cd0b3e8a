"""What a function takes, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from core.templates.values.convert import ConversionError, convert
from core.templates.values.types import Type, describe
from core.templates.values.value import Value, lift, unknown


class FunctionError(ValueError):
    """What a function has against its arguments: a sentence. ``argument`` says which, from 0; -1: none."""

    def __init__(self, message: str, argument: int = -1, remedy: str = "") -> None:
        super().__init__(message)
        self.argument = argument
        self.remedy = remedy


class Place(msgspec.Struct, frozen=True):
    """What functions know of the world: folders that ``path.cwd`` and relative paths mean, variables."""

    root: str
    cwd: str
    environment: dict[str, str] = {}
    clock: float = 0.0
    """Seconds since 1970, of when the template was read: all of it sees one time."""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    parameters: tuple[Type, ...]
    rest: Type | None = None
    """Of further arguments, where any number may follow."""
    optional: int = 0
    """How many of the last parameters may be left out."""
    nulls: bool = False
    """Takes null."""
    run: Callable[..., Any]
    wants_place: bool = False
    wants_values: bool = False
    """Is given :class:`Value`, not what is in it."""

    @property
    def usage(self) -> str:
        names = [str(kind) for kind in self.parameters]
        names = [name if at < len(names) - self.optional else f"[{name}]" for at, name in enumerate(names)]
        return f"{self.name}({', '.join([*names, *([f'{self.rest}...'] if self.rest is not None else [])])})"

    def __call__(self, place: Place, arguments: Sequence[Value]) -> Value:
        """The function's value. Raises FunctionError."""
        self._check_number(len(arguments))
        sensitive = any(argument.holds_sensitive for argument in arguments)
        taken = [self._take(index, argument) for index, argument in enumerate(arguments)]
        for argument in taken:
            if why := argument.waits_for:
                return unknown(why).marked(sensitive)
        given = taken if self.wants_values else [argument.raw for argument in taken]
        try:
            found = lift(self.run(place, *given) if self.wants_place else self.run(*given))
        except (ArithmeticError, MemoryError, RecursionError) as error:
            raise FunctionError(f"the result is out of reach ({type(error).__name__})") from None
        return found.marked(sensitive)

    def _check_number(self, number: int) -> None:
        least = len(self.parameters) - self.optional
        most = len(self.parameters) if self.rest is None else None
        if number < least or (most is not None and number > most):
            if most == least:
                wanted = f"{least}"
            else:
                wanted = f"{least} or more" if most is None else f"{least} to {most}"
            raise FunctionError(
                f"{self.name} takes {wanted} argument{'' if wanted == '1' else 's'}, not {number}",
                remedy=f"write {self.usage}",
            )

    def _take(self, index: int, argument: Value) -> Value:
        kind = self.parameters[index] if index < len(self.parameters) else self.rest
        assert kind is not None
        if argument.null and not self.nulls:
            raise FunctionError(f"null is not {describe(kind)}", index)
        try:
            return convert(argument, kind)
        except ConversionError as error:
            raise FunctionError(f"{_lower(str(error))}", index, f"write {self.usage}") from None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


Run = TypeVar("Run", bound=Callable[..., Any])

TABLE: dict[str, Function] = {}
"""All functions by name, filled by :func:`function`."""


def function(
    name: str,
    *parameters: Type,
    rest: Type | None = None,
    optional: int = 0,
    nulls: bool = False,
    place: bool = False,
    values: bool = False,
) -> Callable[[Run], Run]:
    """Makes a Python function one of the templates'. It gets what is in the values (or, with ``values``,
    the values) and gives a value, or data that becomes one."""

    def keep(run: Run) -> Run:
        TABLE[name] = Function(
            name=name,
            parameters=parameters,
            rest=rest,
            optional=optional,
            nulls=nulls,
            run=run,
            wants_place=place,
            wants_values=values,
        )
        return run

    return keep
