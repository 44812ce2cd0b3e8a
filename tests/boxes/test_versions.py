"""Versions and constraints mean what they mean to RubyGems, which Vagrant uses."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes.versions import Constraint, Version
from core.errors import UsageError

NUMBERS = st.integers(0, 12).map(str)
WORDS = st.sampled_from(["a", "b", "alpha", "beta", "rc1", "pre", "0b", "Beta", "x9y"])
VERSIONS = st.builds(
    lambda first, rest, dash: ".".join([first, *rest]) + dash,
    NUMBERS,
    st.lists(st.one_of(NUMBERS, NUMBERS, WORDS), max_size=4),
    st.sampled_from(["", "", "", "-beta", "-1", "-rc.2"]),
)
REQUIREMENTS = st.tuples(
    st.sampled_from(["", "=", "!=", ">", "<", ">=", "<=", "~>"]), st.sampled_from(["", " "]), VERSIONS
).map("".join)
CONSTRAINTS = st.lists(REQUIREMENTS, min_size=1, max_size=3).map(", ".join)


@given(VERSIONS, VERSIONS)
def test_two_versions_have_one_order(left: str, right: str) -> None:
    one, other = Version(left), Version(right)
    assert [one < other, one == other, one > other].count(True) == 1
    assert (one == other) == (not one < other and not other < one)
    if one == other:
        assert hash(one) == hash(other)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_transitive(a: str, b: str, c: str) -> None:
    low, middle, high = sorted([Version(a), Version(b), Version(c)])
    assert low <= middle <= high
    assert low <= high


@given(VERSIONS)
def test_a_pessimistic_constraint_admits_itself_but_not_its_bump(text: str) -> None:
    version = Version(text)
    constraint = Constraint(f"~> {text}")
    assert constraint.admits(version)
    assert not constraint.admits(version.bump)
    assert version < version.bump
    assert version <= version.release


@given(st.text(max_size=30))
def test_any_text_is_a_version_or_an_error(text: str) -> None:
    for kind in (Version, Constraint):
        try:
            kind(text)
        except UsageError as error:
            assert error.problem.remedy


@pytest.mark.parametrize(
    ("constraint", "there", "newest"),
    [
        ("", "1.0 1.2 2.0.beta", "1.2"),
        ("", "2.0.beta 2.0.alpha", "2.0.beta"),
        (">= 1.0", "1.0 2.0.beta", "1.0"),
        (">= 1.0", "2.0.beta", None),
        (">= 2.0.alpha", "1.0 2.0.beta", "2.0.beta"),
        (">= 1.0, < 2", "1.9 1.10 2.0", "1.10"),
        ("~> 1.2", "1.1 1.9 2.0", "1.9"),
        ("~> 1.2.3", "1.2.2 1.2.9 1.3", "1.2.9"),
        ("!= 2.0", "1.0 2.0", "1.0"),
        ("1.0", "1.0.0 1.0.1", "1.0.0"),
        ("= 20240101.1", "20240101.1 20240201.1", "20240101.1"),
    ],
)
def test_the_newest_that_satisfies(constraint: str, there: str, newest: str | None) -> None:
    found = Constraint(constraint).newest(there.split(), Version)
    assert (found[0] if found else None) == newest


@pytest.mark.parametrize("text", ["=> 1.0", "1.0 2.0", ">= ", "~ 1", ">= 1.0,", "latest", "1..2", "1" * 5000])
def test_what_is_no_constraint_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a version constraint"):
        Constraint(text)


RUBY = """
require "json"
answers = JSON.parse(STDIN.read).map do |kind, left, right|
  if kind == "order"
    Gem::Version.new(left) <=> Gem::Version.new(right)
  else
    Gem::Requirement.new(left.split(",").map(&:strip)).satisfied_by?(Gem::Version.new(right))
  end
end
puts JSON.generate(answers)
"""


@pytest.mark.real
def test_rubygems_agrees() -> None:
    ruby = shutil.which("ruby")
    if not ruby:
        pytest.skip("ruby is not installed; it comes with the package vagrant")
    questions: list[tuple[str, str, str]] = []
    mine: list[int | bool] = []

    @given(VERSIONS, VERSIONS, CONSTRAINTS)
    def collect(left: str, right: str, constraint: str) -> None:
        one, other = Version(left), Version(right)
        questions.append(("order", left, right))
        mine.append((one > other) - (one < other))
        for version in (left, right):
            questions.append(("satisfies", constraint, version))
            mine.append(Constraint(constraint).admits(Version(version)))

    collect()
    done = subprocess.run(
        [ruby, "-e", RUBY],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    theirs = json.loads(done.stdout)
    different = [each for each in zip(questions, mine, theirs, strict=True) if each[1] != each[2]]
    assert not different
    assert len(questions) > 200
