"""Forms are made from the model: what is asked for, how lines are read, what is left out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.model.project import MachineSpec, Port, Provision
from core.projects.fields import FieldKind, FormField, compact, fields_of, first_mistake, from_text, to_text


def field(model: type[msgspec.Struct], name: str) -> FormField:
    return next(field for field in fields_of(model) if field.name == name)


def test_every_key_of_the_model_is_asked_for_and_says_what_it_means() -> None:
    names = [item.name for item in fields_of(MachineSpec)]
    assert names == list(MachineSpec.__struct_fields__)
    kinds = (FieldKind.TABLE, FieldKind.TABLES, FieldKind.FLAG)
    assert all(item.help for item in fields_of(MachineSpec) if item.kind not in kinds)


def test_kinds_follow_the_types() -> None:
    assert field(Port, "guest").kind is FieldKind.NUMBER
    assert field(Port, "guest").required
    assert field(Port, "protocol").choices == ("tcp", "udp")
    assert field(Provision, "args").kind is FieldKind.WORDS
    assert field(Provision, "env").kind is FieldKind.OPTIONS
    assert field(Provision, "shell").kind is FieldKind.TEXT
    assert field(MachineSpec, "ports").model is Port
    assert field(MachineSpec, "autostart").default is True


def test_a_table_says_no_more_than_it_has_to() -> None:
    values = {"box": "tiny", "cpus": 1, "memory": "1GiB", "ports": [], "hostname": "", "qemu": {}}
    assert compact(MachineSpec, values) == {"box": "tiny", "memory": "1GiB"}


@pytest.mark.parametrize(
    ("model", "table", "key", "said"),
    [
        (MachineSpec, {"box": "x", "cpus": 0}, "cpus", "whole number from 1"),
        (Provision, {"shell": "a", "file": "b"}, "", "exactly one of"),
        (MachineSpec, {"box": "x"}, "", ""),
    ],
)
def test_the_first_mistake_has_its_place(
    model: type[msgspec.Struct], table: dict[str, Any], key: str, said: str
) -> None:
    where, what = first_mistake(model, table)
    assert where == key
    assert said in what
    assert bool(what) == bool(said)


@pytest.mark.parametrize(
    ("name", "text"), [("args", "'open"), ("env", "A = "), ("timeout", "soon"), ("env", "A = 1\nB")]
)
def test_a_line_that_cannot_be_read_says_so(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        from_text(field(Provision, name), text)


@given(st.lists(st.text(min_size=1)))
def test_words_come_back_as_they_were(words: list[str]) -> None:
    args = field(Provision, "args")
    assert (from_text(args, to_text(args, words)) or []) == words


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True), st.text(), min_size=1))
def test_options_come_back_as_they_were(options: dict[str, str]) -> None:
    env = field(Provision, "env")
    assert from_text(env, to_text(env, options)) == options


@given(st.text())
def test_no_line_is_too_strange(text: str) -> None:
    for name in ("args", "env", "timeout", "shell"):
        try:
            from_text(field(Provision, name), text)
        except UsageError as error:
            assert error.problem.what
