"""Functions that change types. ``can``, ``try`` and ``convert`` are the evaluator's own."""

from __future__ import annotations

from core.templates.functions.signature import FunctionError, function
from core.templates.values.convert import ConversionError, convert
from core.templates.values.types import ANY, BOOL, NUMBER, STRING, ListOf, MapOf, SetOf, Type
from core.templates.values.value import Value


def _to(name: str, kind: Type) -> None:
    @function(name, ANY, nulls=True, values=True)
    def run(value: Value) -> Value:
        try:
            return convert(value, kind)
        except ConversionError as error:
            raise FunctionError(f"{str(error)[:1].lower()}{str(error)[1:]}", 0) from None


for _name, _kind in (
    ("tostring", STRING), ("tonumber", NUMBER), ("tobool", BOOL),
    ("tolist", ListOf(ANY)), ("toset", SetOf(ANY)), ("tomap", MapOf(ANY)),
):  # fmt: skip
    _to(_name, _kind)


@function("sensitive", ANY, nulls=True, values=True)
def sensitive(value: Value) -> Value:
    """The same, but not to be shown."""
    return value.marked()
