"""Contradictions between the networks of a project's machines are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.projects.validate import problems

HEAD = '[project]\nname = "p"\n'


def project(tmp_path: Path, web: str, db: str = "") -> list[str]:
    text = (
        f'{HEAD}[machines.web]\nbox = "x"\nnetworks = [{web}]\n[machines.db]\nbox = "x"\nnetworks = [{db}]\n'
    )
    (tmp_path / "boxwright.toml").write_text(text)
    return [problem.what for problem in problems(tmp_path)]


def test_networks_with_and_without_addresses_are_fine(tmp_path: Path) -> None:
    web = '{ name = "back", address = "10.213.7.10" }, { name = "front" }'
    assert project(tmp_path, web, '{ name = "back", address = "10.213.7.11" }') == []


@pytest.mark.parametrize("address", ["10.213.7.1", "10.213.7.255", "10.213.7.300", "127.0.0.5", "224.0.0.2"])
def test_what_cannot_be_an_address_is_refused(tmp_path: Path, address: str) -> None:
    web = f'{{ name = "back", address = "{address}" }}'
    assert project(tmp_path, web) == [f"{address} cannot be the address of a machine."]


def test_collisions_name_both_sides(tmp_path: Path) -> None:
    place = '{ name = "back", address = "10.213.7.10" }'
    assert project(tmp_path, place, place) == ["The address 10.213.7.10 is that of 'web', too."]
    other = '{ name = "back", address = "10.213.8.10" }'
    assert project(tmp_path, place, other) == [
        "10.213.8.10 is not in the network of 'web', which is 10.213.7.0/24."
    ]
    front = '{ name = "front", address = "10.213.7.11" }'
    assert project(tmp_path, place, front) == [
        "10.213.7.0/24 is the range of the network 'back' (machine 'web')."
    ]
    assert project(tmp_path, '{ name = "back" }, { name = "back" }') == [
        "'web' is in the network 'back' twice."
    ]
