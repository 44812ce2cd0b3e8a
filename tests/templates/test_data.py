"""Sources of data in HCL2 templates: who is asked, when, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import BoxwrightError, NotFoundError
from core.templates import TemplateError, load
from core.templates.model import Deferred, Secret
from tests.templates.conftest import Write, given, said

FILE = 'source "file" "f" {\n  target = "x"\n  content = %s\n}\nbuild {\n  sources = ["file.f"]\n}\n'


class Web:
    """Answers with the address that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(dict(settings))
        if "gone" in settings["url"]:
            raise NotFoundError("There is nothing there.", remedy="look elsewhere")
        headers = {"Etag": "1"}
        body = f"<{settings['url']}>"
        return {"url": settings["url"], "body": body, "request_headers": headers, "response_headers": headers}


def content(write: Write, text: str, wanted: str, ask: Web | None = None) -> Any:
    path = write({"a.pkr.hcl": text + FILE % wanted})
    return load(path, given(), ask=ask).template.sources[0].settings["content"]


def test_null_hands_on_what_it_is_given_without_anybody_being_asked(write: Write) -> None:
    text = (
        'data "null" "b" { input = "${data.null.a.output}-${local.two}" }\n'
        'data "null" "a" { input = 1 }\n'
        'locals { two = upper("${data.null.a.output}x") }\n'
    )
    assert content(write, text, "data.null.b.output") == "1-1X"
    assert content(write, text, 'data["null"].b.output') == "1-1X"
    assert content(write, text, 'join(",", keys(data.null))') == "a,b"


def test_each_is_asked_once_however_often_it_is_needed_and_also_where_nothing_needs_it(write: Write) -> None:
    web = Web()
    text = (
        'data "http" "later" { url = "http://x/${length(data.http.first.body)}" }\n'
        'data "http" "first" {\n  url = "http://y"\n  method = "POST"\n  request_headers = { A = 1 }\n'
        '  request_body = "b"\n}\n'
        'data "http" "other" { url = "http://z" }\n'
    )
    wanted = '"${data.http.later.body}${data.http.first.body}${data.http.first.response_headers.Etag}"'
    assert content(write, text, wanted, web) == "<http://x/10><http://y>1"
    first = {"url": "http://y", "method": "POST", "request_headers": {"A": "1"}, "request_body": "b"}
    assert web.asked == [first, {"url": "http://x/10"}, {"url": "http://z"}]


def test_what_is_found_is_open_where_nobody_is_asked(write: Write) -> None:
    text = 'data "http" "a" { url = "http://y" }\ndata "null" "b" { input = data.http.a.body }\n'
    found = content(write, text, "upper(data.null.b.output)")
    assert isinstance(found, Deferred) and found.waits_for == "data.http.a"


def test_what_comes_of_a_secret_is_secret(write: Write) -> None:
    text = (
        'variable "token" {\n  sensitive = true\n  default = "hush"\n}\n'
        'data "http" "a" {\n  url = "http://y"\n  request_headers = { Authorization = var.token }\n}\n'
    )
    web = Web()
    assert content(write, text, "data.http.a.body", web) == Secret("<http://y>")
    assert web.asked[0]["request_headers"] == {"Authorization": "hush"}


def test_mistakes_have_their_places(write: Write) -> None:
    text = (
        'data "http" "a" { method = "FETCH" }\n'
        'data "http" "b" { urll = "x" }\n'
        'data "http" "c" {\n  url = "http://y"\n  method = "LOOK"\n}\n'
        'data "null" "d" { input = ["x"] }\n'
        'data "http" "e" { url = "http://y" }\n'
        "locals {\n  f = data.http.e.bdy\n  g = data.http.x.body\n  h = data.htp.e.body\n}\n"
    )
    assert said(write({"a.pkr.hcl": text + FILE % '"x"'})) == [
        '1:28 "method" has to be GET, HEAD, POST, PUT, DELETE, OPTIONS or PATCH.',
        '2:1 The data source "http" needs "url".',
        '2:19 The data source "http" has no setting "urll".',
        '5:12 "method" has to be GET, HEAD, POST, PUT, DELETE, OPTIONS or PATCH.',
        '7:27 "input" has to be text.',
        '10:7 This object has no "bdy".',
        '11:7 There is no data source "http" "x".',
        '12:7 There is no kind of data source "htp".',
    ]


def test_a_circle_is_named_with_all_that_are_in_it(write: Write) -> None:
    text = (
        'data "null" "a" { input = local.b }\nlocals { b = data.http.c.body }\n'
        'data "http" "c" { url = data.null.a.output }\n'
    )
    path = write({"a.pkr.hcl": text + FILE % '"x"'})
    try:
        load(path, given())
    except TemplateError as error:
        (problem,) = error.problems
        assert problem.what == 'The data source "null.a" needs itself.'
        assert problem.why == "The circle is data.null.a → local.b → data.http.c → data.null.a."
        assert problem.place is not None and (problem.place.line, problem.place.column) == (3, 25)
    else:
        raise AssertionError("the circle was not seen")


def test_who_cannot_answer_is_named_with_the_block(write: Write) -> None:
    text = 'data "http" "a" { url = "http://gone" }\ndata "htpp" "b" {}\n'
    path = write({"a.pkr.hcl": text + FILE % '"${data.http.a.body}${data.htpp.b.x}"'})
    load(path, given())
    try:
        load(path, given(), ask=Web())
    except BoxwrightError as error:
        assert isinstance(error, TemplateError)
        gone, unknown = error.problems
        assert (gone.what, gone.remedy) == ("data.http.a: There is nothing there.", "look elsewhere")
        assert (unknown.what, unknown.remedy) == (
            'The data source "htpp" cannot be asked.',
            'did you mean "http"?',
        )
        assert [one.place and one.place.line for one in (gone, unknown)] == [1, 2]
    else:
        raise AssertionError("nothing was wrong")
