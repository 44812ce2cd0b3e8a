"""Expressions: what they come to, and what is said about wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from core.templates import TemplateError
from tests.templates.conftest import value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("(1 + 2) * 3", 9),
        ("-7 % 3", -1),
        ("10 / 4", 2.5),
        ("0.1 + 0.2", 0.3),
        ("1 < 2 && !(3 <= 2) || false", True),
        ("true ? 1 : 2", 1),
        ('true ? 1 : "a"', "1"),
        ("false ? null : 3", 3),
        ("1 == 1.0", True),
        ('"1" == 1', False),
        ("[1, 2][1]", 2),
        ('{ a = { b = [1, 2] } }.a["b"].1', 2),
        ("[{ a = 1 }, { a = 2 }][*].a", [1, 2]),
        ("[{ a = [1] }, { a = [2] }].*.a[0]", [1]),
        ("[[1, 2], [3]][*][0]", [1, 3]),
        ("{ a = 1 }[*].a", [1]),
        ("null[*]", []),
        ('"5" + "1"', 6),
        ('[for i, x in ["a", "b"] : "${i}${x}"]', ["0a", "1b"]),
        ("[for x in [1, 2, 3] : x * 2 if x != 2]", [2, 6]),
        ("{ for k, v in { a = 1, b = 2 } : upper(k) => v }", {"A": 1, "B": 2}),
        ('{ for x in ["a", "b", "a"] : x => 1... }', {"a": [1, 1], "b": [1]}),
        ("max([1, 5, 3]...)", 5),
        ('{ ("a") = 1, "b c" : 2, d = 3 }', {"a": 1, "b c": 2, "d": 3}),
        ("{ true = 1, for = 2 }", {"true": 1, "for": 2}),
        ("[\n1,\n2,\n]", [1, 2]),
        ("{\na = 1 // one\nb = 2\n}", {"a": 1, "b": 2}),
        ("100000000000000000000000 + 1", 100000000000000000000001),
        ("1.5e3", 1500),
    ],
)
def test_values(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (r'"a\tb\n\"\\ \u00e9 \U0001F600"', 'a\tb\n"\\ é 😀'),
        ('"$${x} %%{y} $ % ${1}"', "${x} %{y} $ % 1"),
        ('"${"a"}-${true}-${1.50}"', "a-true-1.5"),
        ('"${[1]}"', [1]),
        ('"%{ if 1 > 2 }yes%{ else }no%{ endif }"', "no"),
        ('"%{ for i, x in ["a", "b"] }${i}=${x};%{ endfor }"', "0=a;1=b;"),
        ('"a ${~ "b" ~} c"', "abc"),
        ('"a %{ if true ~} b %{ endif ~} c"', "a b c"),
        ('"${upper("x${lower("Y")}")}"', "XY"),
        ('"${{ a = 1 }.a}"', 1),
        ('"${"}"}"', "}"),
    ],
)
def test_texts(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<EOT\n  one\n two ${1 + 1}\nEOT", "  one\n two 2\n"),
        ("<<-EOT\n    one\n      two\n\n    three\n    EOT", "one\n  two\n\nthree\n"),
        ('<<-EOT\n    ${"a"}\n      b\n  EOT', "a\n  b\n"),
        ("<<-EOT\n\ttab\n\t  x\nEOT", "tab\n  x\n"),
        (r"<<EOT" "\n" r'\n "quoted" $${x}' "\nEOT", '\\n "quoted" ${x}\n'),
        ("<<EOT\n%{ for x in [1, 2] ~}\n- ${x}\n%{ endfor ~}\nEOT", "- 1\n- 2\n"),
        ("<<EOT\r\na\r\nEOT", "a\r\n"),
        ("<<EOT\nEOT", ""),
    ],
)
def test_heredocs(text: str, expected: str) -> None:
    assert value(f"[{text}\n]") == [expected]


@pytest.mark.parametrize(
    ("expression", "column", "what", "remedy"),
    [
        ("1 +", 4, "The text ends where a value has to come.", ""),
        ("[1, 2", 6, 'The text ends where "," or "]" has to come.', "close the list with ]"),
        ("'a'", 1, 'The character "\'" means nothing here.', 'text stands in double quotes: "..."'),
        ('"abc', 1, "This text has no closing quote.", 'close it with ", or use a heredoc for several lines'),
        (r'"\q"', 2, r"The escape \q means nothing.", r"write \\ for a backslash"),
        ('"${1"', 5, 'There is "text" where "}" has to come.', "close the interpolation with }"),
        ('"%{ if true }x"', 2, "%{ if } is never closed.", "add %{ endif } behind it"),
        ('uper("a")', 1, 'There is no function "uper".', 'did you mean "upper"?'),
        ("upper()", 1, "upper: upper takes 1 argument, not 0.", "write upper(string)"),
        ("upper([])", 7, "upper: the value is a list, not text.", "write upper(string)"),
        ("upper(null)", 7, "upper: null is not text.", ""),
        ("1 + true", 5, '"+" takes a number, not true or false.', ""),
        ("1 / 0", 5, "Nothing can be divided by 0.", ""),
        ("[1][3]", 1, "The list has no item 3: it has 1 item.", "the first item is [0]"),
        ("{ abc = 1 }.abd", 1, 'This object has no "abd".', 'did you mean "abc"?'),
        ("[{ a = 1 }].a", 1, 'A list has no "a".', "take one item with [0], or all with [*].a"),
        ("foo", 1, '"foo" is not known here.', 'put text into quotes: "foo"'),
        ('"x${null}"', 5, "null cannot be put into text.", ""),
        ('"x${[1]}"', 5, "What is put into text is text, not a list.", ""),
        ("{ for x in [1, 1] : x => x }", 21, "Two items have the key 1.", "put ... behind the value"),
        ("null ? 1 : 2", 1, "The condition is null.", ""),
        ("true ? [1] : 2", 1, "One result is a list, the other a number.", "let both have one type"),
        ("1 2", 3, 'There is "2" where the end of the expression has to come.', ""),
        ("<<EOT\nx\n", 1, "This heredoc is never closed.", "put EOT alone on a line behind its last one"),
    ],
)
def test_mistakes(expression: str, column: int, what: str, remedy: str) -> None:
    with pytest.raises(TemplateError) as caught:
        value(expression)
    problem = caught.value.problem
    assert problem.place is not None
    assert (problem.place.column, problem.what, problem.remedy) == (column, what, remedy)


def test_what_is_not_taken_may_be_wrong() -> None:
    assert value("true ? 1 : [][0]") == 1
    assert value("try([][0], nope, 2)") == 2
    assert value("can([][0])") is False


def test_deep_nesting_is_refused_not_a_crash() -> None:
    for text in ("(" * 500 + "1" + ")" * 500, "[" * 500, "!" * 500 + "true", "-" * 2000 + "1", '"${' * 300):
        with pytest.raises(TemplateError):
            value(text)
    with pytest.raises(TemplateError):
        value("+".join(["1"] * 5000))
    assert value("+".join(["1"] * 100)) == 100
