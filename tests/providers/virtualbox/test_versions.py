"""What VirtualBox is told, by its version; the version strings are those that packages really have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import pytest
from virtualbox import library

from core.providers.virtualbox import worker
from core.providers.virtualbox.worker import versions
from tests.support.typelib import Typelib
from tests.support.virtualbox import VirtualBox

Node = TypeVar("Node", bound=ast.AST)

INTERFACE = Path(library.__file__).read_text()

ORIGIN: Any = SimpleNamespace(OSTypeId="Linux_64", platform=SimpleNamespace(architecture="x86"))


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("6.1.26_Ubuntur145957\n", (6, 1, 26)),
        ("WARNING: The vboxdrv kernel module is not loaded.\n6.1.50r161033\n", (6, 1, 50)),
        ("7.0.20_Debianr163906", (7, 0, 20)),
        ("7.1.4r165100", (7, 1, 4)),
        ("7.2.22_Debianr175245\n", (7, 2, 22)),
        ("nonsense", ()),
    ],
)
def test_the_version_is_read_as_programs_and_the_api_say_it(said: str, version: tuple[int, ...]) -> None:
    assert versions.read(said) == version


@pytest.mark.parametrize(
    ("said", "creation", "opening", "apart", "ranges"),
    [
        ("6.0.24", ("s", "n", [], "Linux_64", "f"), ("s",), False, False),
        ("6.1.26_Ubuntur145957", ("s", "n", [], "Linux_64", "f"), ("s",), False, False),
        ("6.1.50r161033", ("s", "n", [], "Linux_64", "f"), ("s",), False, True),
        ("7.0.20_Debianr163906", ("s", "n", [], "Linux_64", "f", "", "", ""), ("s", ""), False, True),
        ("7.1.4r165100", ("s", "n", "x86", [], "Linux_64", "f", "", "", ""), ("s", ""), True, True),
        ("7.2.22_Debianr175245", ("s", "n", "x86", [], "Linux_64", "f", "", "", ""), ("s", ""), True, True),
    ],
)
def test_each_version_is_told_what_its_api_wants(
    said: str, creation: tuple[Any, ...], opening: tuple[str, ...], apart: bool, ranges: bool
) -> None:
    version = versions.read(said)
    assert versions.creation(version, "s", "n", ORIGIN, "f") == creation
    assert versions.opening(version, "s") == opening
    machine = SimpleNamespace(firmwareSettings="apart")
    assert (versions.firmware_of(version, machine) == "apart") is apart
    assert versions.permits_ranges(version) is ranges
    assert (version < versions.OLDEST) is (said == "6.0.24")


# The oldest version, by its own interface: pyvbox is generated from that of 6.1.

TREES = [ast.parse(path.read_text()) for path in Path(str(worker.__file__)).parent.glob("*.py")]
OF_THE_BINDING = {"getVirtualBox", "getArray", "createListener", "queryInterface", "waitForEvents"}
"""What ``vboxapi`` and XPCOM have by themselves, whatever the version."""
NEWER = {"firmwareSettings"}
"""What :mod:`versions` knows of, and asks newer versions for alone."""


def test_all_that_is_called_is_in_the_interface_of_the_oldest_version_with_as_many_arguments() -> None:
    known = _calls_of_the_oldest()
    assert known["createMachine"] == {5} and known["openMachine"] == {1}
    seen = set()
    for call in _calls():
        assert call.attr in known, call.attr
        if call.given is not None:
            assert call.given in known[call.attr], call.attr
        seen.add(call.attr)
    assert {"createMachine", "cloneTo", "takeSnapshot", "launchVMProcess", "getSerialPort"} <= seen


@pytest.mark.real
def test_the_newest_version_has_the_same_calls_with_as_many_arguments_but_for_two(
    virtualbox: VirtualBox,
) -> None:
    """What is the same in both is so in 7.0 and 7.1. The two got their arguments with 7.0 (ciphers) and 7.1
    (platforms), as :mod:`versions` knows."""
    path = "usr/lib/virtualbox/components/VirtualBox_XPCOM.xpt"
    newest, oldest = Typelib(virtualbox.system / path).calls(), _calls_of_the_oldest()
    changed = {call.attr for call in _calls() if newest[call.attr] != oldest[call.attr]}
    assert {name: newest[name] for name in changed} == {"createMachine": {9}, "openMachine": {2}}
    assert len(versions.creation((7, 2), "s", "n", ORIGIN, "f")) == 9
    assert len(versions.opening((7, 2), "s")) == 2


def test_all_that_is_read_and_set_is_in_the_interface_of_the_oldest_version() -> None:
    known = set(re.findall(r'_[gs]et_attr\(\s*"(\w+)"', INTERFACE))
    called = {id(call.func) for call in _found(ast.Call)}
    read = {each.attr for each in _found(ast.Attribute) if id(each) not in called and _of_the_api(each.attr)}
    assert read - known == NEWER
    assert {"OSTypeId", "firmwareType"} <= read


class Call(NamedTuple):
    attr: str
    given: int | None
    """So many arguments; None where that depends on the version."""


def _calls() -> Iterator[Call]:
    for call in _found(ast.Call):
        if isinstance(call.func, ast.Attribute) and _of_the_api(call.func.attr):
            open_ended = any(isinstance(word, ast.Starred) for word in call.args)
            yield Call(call.func.attr, None if open_ended else len(call.args))


def _calls_of_the_oldest() -> dict[str, set[int]]:
    known: dict[str, set[int]] = {}
    for name, given in re.findall(r'_call\(\s*"(\w+)"(?:,\s*in_p=\[([^\]]*)\])?', INTERFACE):
        known.setdefault(name, set()).add(len([word for word in given.split(",") if word.strip()]))
    return known


def _of_the_api(name: str) -> bool:
    """Names there are written so, and ours are not; constants are asked of the VirtualBox that runs."""
    return bool(re.search("[a-z][A-Z]", name)) and "_" not in name and name not in OF_THE_BINDING


def _found(kind: type[Node]) -> list[Node]:
    return [node for tree in TREES for node in ast.walk(tree) if isinstance(node, kind)]
