"""Positions: every value of a document is found where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given

from core.projects.positions import Path, Positions
from tests.projects.documents import documents

EXAMPLE = '''\
# A comment with [brackets] and "quotes
[project]
name = "shop"   # = not this
"odd \\u00e9" = 'x'

[machines.web]
ports = [
  { guest = 80, host = 8080 },  # ] }
  { guest = 443 },
]
text = """
[not.a.table]
a = 1"""
ssh.user.deep = 'me'

[[machines.web.provision]]
shell = "one"
[machines.web.provision.env]
A = "1"
[[machines.web.provision]]
shell = "two"
'''


def paths(data: Any, here: Path = ()) -> list[Path]:
    found = [here] if here else []
    if isinstance(data, dict):
        for key, value in data.items():
            found += paths(value, (*here, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            found += paths(value, (*here, number))
    return found


def test_keys_and_values_are_found_in_all_spellings() -> None:
    positions = Positions(EXAMPLE)
    expected = {
        ("project",): (2, 2),
        ("project", "name"): (3, 1),
        ("project", "odd é"): (4, 1),
        ("machines",): (6, 2),
        ("machines", "web"): (6, 11),
        ("machines", "web", "ports", 0, "host"): (8, 17),
        ("machines", "web", "ports", 1): (9, 3),
        ("machines", "web", "ssh"): (14, 1),
        ("machines", "web", "ssh", "user", "deep"): (14, 10),
        ("machines", "web", "provision", 0, "shell"): (17, 1),
        ("machines", "web", "provision", 0, "env", "A"): (19, 1),
        ("machines", "web", "provision", 1): (20, 16),
        ("machines", "web", "provision", 1, "shell"): (21, 1),
    }
    assert {path: positions.key(path)[:2] for path in expected} == expected
    assert positions.value(("machines", "web", "ports", 0, "host")) == (
        8,
        24,
        "  { guest = 80, host = 8080 },  # ] }",
    )


def test_what_is_not_there_is_placed_at_the_table_around_it() -> None:
    positions = Positions(EXAMPLE)
    assert positions.key(("machines", "web", "cpus"))[:2] == (6, 11)
    assert positions.key(("nothing", "at", "all"))[:2] == (1, 1)


@given(documents())
def test_every_path_of_every_document_has_its_spot(document: tuple[dict[str, Any], str]) -> None:
    data, source = document
    assert tomllib.loads(source) == data, "the writer of the documents is wrong"
    spots = Positions(source).spots
    assert set(spots) == set(paths(data))
    text = source.replace("\r\n", "\n")
    for path, spot in Positions(text).spots.items():
        value: Any = data
        for part in path:
            value = value[part]
        if isinstance(value, bool | int | float):
            assert text[spot.value :].startswith(
                str(value).lower() if isinstance(value, bool) else repr(value)
            )
        elif isinstance(value, str):
            assert text[spot.value] in "\"'"
