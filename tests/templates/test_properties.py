"""What holds for whatever somebody writes."""

from __future__ import annotations

import json
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from core.templates import TemplateError, load
from core.templates.console import bare
from core.templates.functions import Place
from core.templates.golang.functions import LATER, functions
from core.templates.golang.render import LaterError, Names, render
from core.templates.hcl.layout import layout
from core.templates.hcl.layout_tokens import tokens
from core.templates.problems import Fault
from core.templates.source import Source
from core.templates.values.convert import ConversionError, convert, unify
from core.templates.values.show import plain, show
from core.templates.values.value import lift
from tests.templates.conftest import CORPUS
from tests.templates.conftest import given as outside

FILES = [path.read_text() for path in sorted(CORPUS.rglob("*.hcl"))]
DOCUMENTS = [path.read_text() for path in sorted(CORPUS.rglob("*.json"))]
WORDS = """
a b var local source build variable locals dynamic content for_each for in if else endif endfor true null
1 2.5 1e9 = == => ? : , . ... ( ) [ ] { } + - * / % ! && || < >= ~ " "x" ${ %{ # // /* */ ' {{ }} é
upper( max(1) .x [*] .*
"""
GO = '{{ }} - .A user `x` | if end else range $x := ( ) 1 "'
PIECES = [*WORDS.split(), "<<A\n", "<<-A\n", "\nA\n", "\n", "\\"]


def mangled(texts: list[str]) -> st.SearchStrategy[str]:
    """Real files with a piece cut out and something else put in."""

    @st.composite
    def one(draw: st.DrawFn) -> str:
        text = draw(st.sampled_from(texts))
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        return text[:start] + draw(st.sampled_from(["", *PIECES])) + text[end:]

    return one()


soup = st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join)
relaxed = settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow])


def opened(name: str, text: str) -> None:
    """Reads it; anything but a mistake that is told fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        try:
            load(path, outside(HOME="/home"))
        except ConfigError as error:
            assert error.problem.what
            assert not isinstance(error, TemplateError) or error.problems


@relaxed
@given(mangled(FILES) | soup | st.text())
def test_any_hcl_is_read_or_refused(text: str) -> None:
    opened("t.pkr.hcl", text)


@relaxed
@given(mangled(DOCUMENTS) | soup | st.text())
def test_any_json_is_read_or_refused(text: str) -> None:
    opened("t.json", text)
    opened("t.pkr.json", text)


@relaxed
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("t.pkr.hcl", "t.json", "t.auto.pkrvars.hcl"):
            Path(folder, name).write_bytes(b"\xff" + data)
        for name in ("t.pkr.hcl", "t.json"):
            with pytest.raises(ConfigError):
                load(Path(folder, name), outside())


@relaxed
@given(soup | st.text())
def test_any_expression(text: str) -> None:
    try:
        value = bare(outside()).evaluate(text)
    except TemplateError:
        return
    show(value)
    json.dumps(plain(value))


@relaxed
@given(st.lists(st.sampled_from(GO.split())).map(" ".join))
def test_any_go_template(text: str) -> None:
    names = Names(functions(Place(root="/", cwd="/"), str), {"A": ["x"]}, LATER)
    try:
        render(Source("t", text), names)
    except (Fault, LaterError):
        return


@relaxed
@given(mangled(FILES) | soup)
def test_the_layout_is_stable_and_changes_no_token(text: str) -> None:
    try:
        once = layout(Source("t", text))
    except (ConfigError, Fault):
        return
    assert layout(Source("t", once)) == once
    before = [token.written for token in tokens(Source("t", text)) if token.kind != "line"]
    after = [token.written for token in tokens(Source("t", once)) if token.kind != "line"]
    assert before == after


numbers = st.integers(-1000, 1000).map(str) | st.decimals(-1000, 1000, places=2).map(
    lambda number: f"{number:f}"
)


def arithmetic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
        lambda one: f"({one[0]} {one[1]} {one[2]})"
    )


@relaxed
@given(st.recursive(numbers, arithmetic, max_leaves=6))
def test_arithmetic_is_exact_enough(expression: str) -> None:
    """Beside Python's fractions."""
    try:
        expected = eval(_fractions(expression), {"Fraction": Fraction})
    except ZeroDivisionError:
        with pytest.raises(TemplateError, match="divided by 0"):
            bare(outside()).evaluate(expression)
        return
    found = bare(outside()).evaluate(expression).raw
    assert isinstance(found, int | Decimal)
    assert abs(Fraction(found) - expected) <= abs(expected) * Fraction(1, 10**100) + Fraction(1, 10**100)


def _fractions(expression: str) -> str:
    import re

    return re.sub(r"\d+(?:\.\d+)?", lambda found: f"Fraction('{found.group()}')", expression)


data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@relaxed
@given(data)
def test_what_is_shown_is_an_expression_for_the_same(given_data: Any) -> None:
    reading = bare(outside())
    value = lift(given_data)
    assert plain(reading.evaluate(show(value))) == given_data
    assert plain(reading.evaluate(f"jsondecode(jsonencode({show(value)}))")) == given_data
    assert plain(reading.evaluate(f"yamldecode(yamlencode({show(value)}))")) == given_data


@relaxed
@given(data, data)
def test_types_in_common_are_types_that_both_convert_to(one: Any, other: Any) -> None:
    left, right = lift(one), lift(other)
    common = unify((left.type, right.type))
    assert unify((left.type, left.type)) == left.type
    if common is None:
        return
    for value in (left, right):
        try:
            converted = convert(value, common)
        except ConversionError:
            pytest.fail(f"{value.type} is not {common}")
        assert convert(converted, common) == converted
