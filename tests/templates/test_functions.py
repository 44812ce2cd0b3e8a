"""Packer's functions."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from core.templates import TemplateError
from core.templates.console import bare
from core.templates.functions import functions
from core.templates.hcl.calls import LAZY
from core.templates.values.show import plain
from tests.templates.conftest import given, value

PACKERS = """
abs ceil floor log max min parseint pow signum sum
chomp endswith format formatlist indent join lower regex regex_replace regexall replace split startswith
strcontains strrev substr title trim trimprefix trimspace trimsuffix upper
alltrue anytrue chunklist coalesce coalescelist compact concat contains distinct element flatten index keys
length lookup merge range reverse setintersection setproduct setunion slice sort values zipmap
base64decode base64encode base64gzip csvdecode jsondecode jsonencode textdecodebase64 textencodebase64
urlencode yamldecode yamlencode
abspath basename dirname file fileexists fileset pathexpand templatefile
formatdate legacy_isotime legacy_strftime timeadd timestamp
bcrypt md5 rsadecrypt sha1 sha256 sha512
uuidv4 uuidv5
cidrhost cidrnetmask cidrsubnet cidrsubnets
can convert try env
"""


def test_all_of_packers_functions_are_there() -> None:
    assert set(PACKERS.split()) - set(functions()) - set(LAZY) == set()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("abs(-2.5)", 2.5),
        ("ceil(1.2)", 2),
        ("floor(-1.2)", -2),
        ("log(8, 2)", 3),
        ("pow(2, 10)", 1024),
        ("signum(-3)", -1),
        ('parseint("ff", 16)', 255),
        ('parseint("-101", 2)', -5),
        ("sum([1, 2.5])", 3.5),
        ('chomp("a\\r\\n\\n")', "a"),
        ('format("%s=%05d %q %.2f %v %%", "a", 42, "b", 1.5, [1])', 'a=00042 "b" 1.50 [1] %'),
        ('format("%[2]s%[1]s %-4sx", "a", "b", "c")', "ba b   x"),
        ('formatlist("%s-%s", ["a", "b"], "x")', ["a-x", "b-x"]),
        ('indent(2, "a\\nb")', "a\n  b"),
        ('join("-", ["a", "b"], ["c"])', "a-b-c"),
        ('lower("ÄB")', "äb"),
        ('title("hello wORLD")', "Hello WORLD"),
        ('regex("[a-z]+", "12abc")', "abc"),
        ('regex("(\\\\d)(\\\\d)", "x12")', ["1", "2"]),
        ('regex("(?P<y>\\\\d{4})-(?P<m>\\\\d\\\\d)", "2024-05")', {"y": "2024", "m": "05"}),
        ('regexall("[a-z]", "a1b")', ["a", "b"]),
        ('regex_replace("a1b2", "([a-z])", "<$1>")', "<a>1<b>2"),
        ('replace("a/b", "/", "-")', "a-b"),
        ('replace("a1", "/[0-9]/", "x")', "ax"),
        ('split(",", "a,,b")', ["a", "", "b"]),
        ('split(",", "")', [""]),
        ('strrev("añb")', "bña"),
        ('substr("hello", 1, 3)', "ell"),
        ('substr("hello", -2, -1)', "lo"),
        ('trim("--a--", "-")', "a"),
        ('trimprefix("ab", "a")', "b"),
        ('trimsuffix("ab", "b")', "a"),
        ('trimspace(" a ")', "a"),
        ("chunklist([1, 2, 3], 2)", [[1, 2], [3]]),
        ('coalesce(null, "", "x")', "x"),
        ("coalescelist([], [1])", [1]),
        ('compact(["a", "", "b"])', ["a", "b"]),
        ("concat([1], [2, 3])", [1, 2, 3]),
        ('contains(["a"], "a")', True),
        ("distinct([1, 2, 1])", [1, 2]),
        ("element([1, 2, 3], 4)", 2),
        ("flatten([[1], [[2], 3]])", [1, 2, 3]),
        ("keys({ b = 1, a = 2 })", ["a", "b"]),
        ("values({ b = 1, a = 2 })", [2, 1]),
        ("length([1, 2])", 2),
        ('length("né")', 2),
        ('lookup({ a = 1 }, "b", 5)', 5),
        ("merge({ a = 1, b = 1 }, { b = 2 })", {"a": 1, "b": 2}),
        ("range(3)", [0, 1, 2]),
        ("range(5, 1, -2)", [5, 3]),
        ("reverse([1, 2])", [2, 1]),
        ("setintersection([1, 2], [2, 3])", [2]),
        ("setunion([2], [1])", [1, 2]),
        ("setproduct([1, 2], [3])", [[1, 3], [2, 3]]),
        ("slice([1, 2, 3], 1, 2)", [2]),
        ('sort(["b", "a"])', ["a", "b"]),
        ('zipmap(["a", "b"], [1, 2])', {"a": 1, "b": 2}),
        ('index(["a", "b"], "b")', 1),
        ("alltrue([true, false])", False),
        ("anytrue([true, false])", True),
        ('base64encode("hé")', "aMOp"),
        ('base64decode("aMOp")', "hé"),
        ('urlencode("a b/ü")', "a+b%2F%C3%BC"),
        ('csvdecode("a,b\\n1,2\\n")', [{"a": "1", "b": "2"}]),
        ('jsonencode({ b = [1, null], a = "<&>" })', '{"a":"\\u003c\\u0026\\u003e","b":[1,null]}'),
        (r'yamldecode(jsonencode("\\f\\b\u000c"))', "\\f\\b\x0c"),
        ('jsondecode("{\\"a\\": [1, 2.5, true]}")', {"a": [1, 2.5, True]}),
        ('yamldecode("a: [1, x]\\nb: 2020-01-02")', {"a": [1, "x"], "b": "2020-01-02"}),
        ('yamlencode({ a = [1, { b = "x" }], c = {} })', '"a":\n- 1\n- "b": "x"\n"c": {}\n'),
        ('textdecodebase64(textencodebase64("ü", "UTF-16LE"), "UTF-16LE")', "ü"),
        ('basename("/a/b.c")', "b.c"),
        ('dirname("/a/b.c")', "/a"),
        ('dirname("x")', "."),
        ('pathexpand("/x")', "/x"),
        ("timestamp()", "2023-11-14T22:13:20Z"),
        ('timeadd("2024-02-28T12:00:00Z", "24h30m")', "2024-02-29T12:30:00Z"),
        (
            'formatdate("YYYY-MM-DD\'T\'hh:mm:ss EEE, D MMM H AA ZZZZ", "2024-05-03T15:04:05Z")',
            "2024-05-03T15:04:05 Fri, 3 May 3 PM +0000",
        ),
        ('legacy_isotime("2006-01-02 15:04 Jan Mon")', "2023-11-14 22:13 Nov Tue"),
        ('legacy_strftime("%Y")', "2023"),
        ('md5("a")', "0cc175b9c0f1b6a831c399e269772661"),
        ('sha1("a")', "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ('substr(sha256("a"), 0, 8)', "ca978112"),
        ('substr(sha512("a"), 0, 8)', "1f40fc92"),
        ('uuidv5("dns", "example.com")', "cfbff0d1-9375-5685-968c-48ce8b15ae17"),
        ('cidrhost("10.0.0.0/8", -1)', "10.255.255.255"),
        ('cidrnetmask("10.0.0.0/12")', "255.240.0.0"),
        ('cidrsubnet("10.1.0.0/16", 8, 3)', "10.1.3.0/24"),
        ('cidrsubnet("fd00::/48", 16, 2)', "fd00:0:0:2::/64"),
        ('cidrsubnets("10.0.0.0/8", 8, 16)', ["10.0.0.0/16", "10.1.0.0/24"]),
        ('convert(["1", "2"], list(number))', [1, 2]),
        ("convert({ a = 1 }, map(string))", {"a": "1"}),
        ('tolist([1, "a"])', ["1", "a"]),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ('tonumber("1.5")', 1.5),
        ('tobool("true")', True),
        ('env("HERE")', "yes"),
        ('env("NOT_THERE")', ""),
    ],
)
def test_values(expression: str, expected: Any) -> None:
    assert value(expression, HERE="yes") == expected


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("element([], 0)", "element: an empty list has no elements."),
        ('index(["a"], "b")', "index: the list has no such item."),
        ('regex("(", "a")', "regex: the regular expression is wrong: missing )"),
        ('regex("(?=a)", "a")', "regex: the regular expression is wrong: it looks ahead"),
        ('regex("x", "a")', "regex: the pattern does not match."),
        ("range(1, 2, 0)", "range: with this step the end is never reached."),
        ("range(100000)", "range: there are more than 1024 numbers in it."),
        ('base64decode("?")', "base64decode: that is not base64."),
        ('jsondecode("{")', "jsondecode: that is not JSON"),
        ('yamldecode("a: [")', "yamldecode: that is not YAML"),
        ('csvdecode("a,a\\n")', "csvdecode: two columns have the same name."),
        ('cidrhost("10.0.0.0/33", 1)', "cidrhost: '10.0.0.0/33' is no network."),
        ('cidrsubnet("10.0.0.0/24", 10, 1)', "cidrsubnet: 10.0.0.0/24 cannot be extended by 10 bits."),
        ('formatdate("Q", timestamp())', "formatdate: 'Q' means nothing in a date's format."),
        ('timeadd("now", "1h")', "timeadd: 'now' is not a time."),
        ('timeadd(timestamp(), "1 hour")', "timeadd: '1 hour' is not a duration."),
        ('format("%d", "x")', "format: the value is text, not a number."),
        ('format("%s")', "format: there is no argument for '%s'."),
        ('format("x", 1)', "format: the format uses only 0 of 1 arguments."),
        ("pow(10, 100000)", "pow: the result is out of reach"),
        ('parseint("9", 8)', "parseint: '9' is no whole number in base 8."),
        ('file("/nowhere/at/all")', "file: /nowhere/at/all does not exist."),
        ('vault("a", "b")', 'The function "vault" is not supported.'),
        ('convert("x", number)', "convert: The value is text, not a number."),
        ('rsadecrypt("YQ==", "x")', "rsadecrypt: that is no private key without passphrase"),
    ],
)
def test_mistakes(expression: str, what: str) -> None:
    with pytest.raises(TemplateError) as caught:
        value(expression)
    assert caught.value.problem.what.startswith(what)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").write_text("eins")
    (tmp_path / "two.txt").write_text("${name}: %{ for x in list }<${x}>%{ endfor }")
    (tmp_path / "raw").write_bytes(b"\xff")
    reading = bare(given(cwd=tmp_path))

    def found(expression: str) -> Any:
        return plain(reading.evaluate(expression))

    assert found('file("a/one.txt")') == "eins"
    assert found('fileset(".", "**/*.txt")') == ["a/one.txt", "two.txt"]
    assert found('fileset(".", "*.{txt,md}")') == ["two.txt"]
    assert found('[fileexists("two.txt"), fileexists("three.txt")]') == [True, False]
    assert found('templatefile("two.txt", { name = "n", list = [1, 2] })') == "n: <1><2>"
    assert found('abspath("x/../y")') == str(tmp_path / "y")
    assert found('filebase64("raw")') == base64.b64encode(b"\xff").decode()
    with pytest.raises(TemplateError, match="raw is not UTF-8 text"):
        found('file("raw")')
    with pytest.raises(TemplateError, match='"list" is not known here'):
        found('templatefile("two.txt", { name = "n" })')


def test_bcrypt_and_rsa() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    hashed = value('bcrypt("secret", 4)')
    assert re.fullmatch(r"\$2a\$04\$[./0-9A-Za-z]{53}", hashed)
    key = rsa.generate_private_key(65537, 2048)
    sealed = base64.b64encode(key.public_key().encrypt(b"hush", padding.PKCS1v15())).decode()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    text = pem.replace("\n", "\\n")
    assert value(f'rsadecrypt("{sealed}", "{text}")') == "hush"


def test_one_time_for_all() -> None:
    reading = bare(given())
    assert plain(reading.evaluate("timestamp() == timestamp()")) is True
    assert value("uuidv4()") != value("uuidv4()")
