"""Amounts as people read them."""

from __future__ import annotations

import pytest

from core import amounts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (12.34, "12.3 s"), (99.94, "99.9 s"), (99.96, "1 min 40 s"), (125, "2 min 05 s"),
     (3720, "1 h 02 min"), (49 * 3600, "2 d 1 h"), (-1, "0.0 s")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert amounts.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (99, "1 min 39 s"),
                          (100, "1 min 40 s"), (3720, "1 h 02 min"), (-1, "0 s")],
)  # fmt: skip
def test_whole_seconds(seconds: float, text: str) -> None:
    assert amounts.whole(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (1536, "1.5 KiB"),
        (500 << 20, "500 MiB"), (5 << 40, "5.0 TiB"), (9 << 50, "9216 TiB"),
    ],
)  # fmt: skip
def test_sizes(number: int, text: str) -> None:
    assert amounts.size(number) == text


def test_times_left() -> None:
    assert [amounts.clock(seconds) for seconds in (42, 725, 3723)] == ["0:42", "12:05", "1:02:03"]


def test_ages() -> None:
    seconds = (3, 30, 300, 7200, 200_000)
    ages = [amounts.ago(1_000_000 - age, 1_000_000) for age in seconds]
    assert ages == ["just now", "30 s ago", "5 min ago", "2 h ago", "2 d ago"]
    assert amounts.ago(0, 5) == ""


def test_lists_of_names() -> None:
    assert [amounts.listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
