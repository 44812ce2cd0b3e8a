"""Go's templates in strings."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from core.templates.functions import Place
from core.templates.golang.functions import LATER, functions
from core.templates.golang.render import Names, render, render_known
from core.templates.golang.times import format_time
from core.templates.problems import Fault
from core.templates.source import Source
from tests.templates.conftest import CLOCK

WORLD = Place(root="/template", cwd="/here", clock=CLOCK)


def names(dot: Any = None) -> Names:
    return Names(functions(WORLD, lambda name: f"<{name}>"), dot, LATER)


DOT = {"Vars": "A=1", "Path": "/tmp/x", "List": ["a", "b"], "Map": {"k": {"n": 1}}, "Yes": True, "No": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ .Vars }} sh {{.Path}}", "A=1 sh /tmp/x"),
        ('{{user `x`}}-{{user "y"}}', "<x>-<y>"),
        ("a {{- ` b ` -}} c", "a b c"),
        ("a {{/* nothing */}} b {{- /* more */ -}} c", "a  bc"),
        ("{{if .Yes}}y{{else}}n{{end}}{{if .No}}y{{else if .Yes}}m{{else}}n{{end}}", "ym"),
        ("{{range .List}}<{{.}}>{{end}}{{range $i, $e := .List}}{{$i}}{{$e}}{{end}}", "<a><b>0a1b"),
        ("{{range .No}}x{{else}}none{{end}}", None),
        ("{{with .Map}}{{.k.n}}{{end}}{{with .No}}x{{else}}y{{end}}", "1y"),
        ("{{$x := .Path}}{{$x}}", "/tmp/x"),
        ('{{ .Path | printf "%s-%d" `a` | upper }}', None),
        ('{{ `a` | upper | printf "%s-%s" `b` }}', "b-A"),
        ("{{ (index .List 1) }}{{ index .Map `k` `n` }}", "b1"),
        ("{{ if and .Yes (not .No) (eq .Vars `x` `A=1`) }}ok{{ end }}", "ok"),
        ("{{ len .List }}{{ print 1 2 `x` }}{{ println 1 }}", "21 2x1\n"),
        ("{{ lt 1 2 }} {{ ge `b` `a` }} {{ ne 1 1 }}", "true true false"),
        (
            "{{ isotime }} {{ timestamp }} {{ template_dir }} {{ pwd }}",
            "2023-11-14T22:13:20Z 1700000000 /template /here",
        ),
        ("{{ split `a-b-c` `-` 1 }}{{ replace `a` `x` 1 `aa` }}{{ replace_all `a` `x` `aa` }}", "bxaxx"),
        ("{{ clean_resource_name `a b/c_1` }}{{ lower `AB` }}", "a-b-c-1ab"),
        ("{{`{{ .Name }}`}}", "{{ .Name }}"),
    ],
)
def test_rendering(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Fault):
            render(Source("t", text), names(DOT))
    else:
        assert render(Source("t", text), names(DOT)) == expected


@pytest.mark.parametrize(
    ("text", "now", "waits"),
    [
        ("{{user `a`}} {{ .Vars }}", "<a> {{ .Vars }}", ".Vars"),
        ("{{ if .Vars }}{{user `a`}}{{ end }}!", "{{ if .Vars }}{{user `a`}}{{ end }}!", ".Vars"),
        ("{{build_name}}", "{{build_name}}", "build_name"),
        ("{{user `{{`}} {{.X}}", '<{{"{{"}}> {{.X}}', ".X"),
        ("{{ (index .L 0).N }}", "{{ (index .L 0).N }}", ".L"),
        ("plain {{user `a`}}", "plain <a>", ""),
    ],
)
def test_what_is_known_already(text: str, now: str, waits: str) -> None:
    found = render_known(Source("t", text), names())
    assert (found.text, found.waits_for) == (now, waits)


def test_what_stays_open_renders_later_to_the_same() -> None:
    text = "{{user `{{`}} {{user `b`}} {{ .Vars }}"
    first = render_known(Source("t", text), names()).text
    assert render(Source("t", first), names(DOT)) == render(Source("t", text), names(DOT)) == "<{{> <b> A=1"


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("x {{", 3, "{{ is never closed."),
        ("{{ .A", 1, "{{ is never closed."),
        ("{{ }}", 4, "A function, a field or a value has to come here."),
        ("{{ nope }}", 4, 'There is no function "nope".'),
        ("{{ .Var }}", 4, 'There is no ".Var" here.'),
        ("{{ end }}", 1, None),
        ("{{ if .Yes }}", 1, "This is never closed."),
        ("{{ upper }}", 4, "upper does not take these arguments."),
        ("{{ upper 1 }}", 4, "upper: 1 is not text."),
        ("{{ `a` `b` }}", 4, "Something that is no function is given arguments."),
        ("{{ template `x` }}", 4, "{{template}} is not supported."),
        ("{{ range .Vars }}{{ end }}", 10, "range goes through lists and maps only."),
        (
            "{{ vault `a` `b` }}",
            4,
            "vault: vault asks a service, which Boxwright does not do; use a variable.",
        ),
        ("{{ (.A }}", 8, '")" has to come here.'),
    ],
)
def test_mistakes(text: str, column: int, what: str | None) -> None:
    with pytest.raises(Fault) as caught:
        render(Source("t", text), names(DOT))
    if what is not None:
        assert caught.value.at is not None
        assert (caught.value.at.place.column, caught.value.what) == (column, what)


def test_times() -> None:
    when = datetime.datetime(2024, 3, 5, 14, 7, 9, 120_000, tzinfo=datetime.UTC)
    for layout, expected in {
        "2006-01-02T15:04:05Z07:00": "2024-03-05T14:07:09Z",
        "Mon Jan _2 3:04PM 06": "Tue Mar  5 2:07PM 24",
        "Monday, 02-Jan-06 15:04:05 MST": "Tuesday, 05-Mar-24 14:07:09 UTC",
        "15:04:05.000 15:04:05.999": "14:07:09.120 14:07:09.12",
        "20060102150405 002": "20240305140709 065",
        "-0700 -07:00": "+0000 +00:00",
    }.items():
        assert format_time(when, layout) == expected
