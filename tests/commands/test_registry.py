"""The registry is the one list of commands: it must be complete and free of contradictions."""

from __future__ import annotations

import typing

import msgspec
import pytest

from core.commands import BY_ID, COMMANDS, CommandSpec, Subject, find
from core.model import command
from core.model.provider import Probe
from tests.support.fake_client import machine


def test_every_struct_is_registered_exactly_once() -> None:
    structs = typing.get_args(command.Command)
    registered = [spec.struct for spec in COMMANDS if spec.struct is not None]
    assert sorted(registered, key=repr) == sorted(structs, key=repr)


def test_ids_verbs_and_aliases_are_unique() -> None:
    names = [name for spec in COMMANDS for name in {spec.id, spec.name, *spec.aliases}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if spec.struct], ids=lambda spec: spec.id)
def test_arguments_are_fields_of_the_struct_and_leave_none_out(spec: CommandSpec) -> None:
    assert spec.struct is not None
    fields = {field.name for field in msgspec.structs.fields(spec.struct)}
    given = {argument.field for argument in spec.arguments}
    said_by_the_subject = {"machine", "project", "name"} if spec.subject is not Subject.NONE else set()
    if spec.id == "build.run":
        said_by_the_subject |= {"template", "environment", "cwd", "debug"}
    assert given <= fields
    assert fields - given <= said_by_the_subject
    assert spec.id == spec.struct.__struct_config__.tag


def test_keys_are_unique_within_a_pane() -> None:
    for subject in Subject:
        keys = [spec.key for spec in COMMANDS if spec.key and spec.subject in (subject, Subject.NONE)]
        assert len(keys) == len(set(keys)), subject


def test_find_takes_ids_verbs_and_aliases() -> None:
    up = find("machine.up")
    assert up is not None
    assert find("up") is up
    assert find("start") is up
    assert find("snapshot  save") is not None
    assert find("nonsense") is None


def test_what_a_provider_cannot_do_is_known_only_where_it_is_usable() -> None:
    suspend = BY_ID["machine.suspend"]
    web = machine("web")
    assert suspend.refusal(web, Probe(provider="qemu", usable=True)) == "qemu has no suspend."
    elsewhere = Probe(provider="qemu", usable=False, why="its daemon is at another place")
    assert suspend.refusal(web, elsewhere) == ""
