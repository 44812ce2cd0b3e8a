"""Problems as people read them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.cli.look import Look
from core.cli.problem_lines import problem_lines
from core.model.problem import Place, Problem
from core.projects import ProjectFileError, load


def test_what_why_and_remedy_in_that_order() -> None:
    problem = Problem(what="No.", why="Because.", remedy="boxwright up")
    assert problem_lines(problem, Look()) == [
        "error: No.",
        "  Because.",
        "  To mend it: boxwright up",
    ]


def test_the_offending_text_is_marked(tmp_path: Path) -> None:
    file = tmp_path / "boxwright.toml"
    file.write_text('[machines.web]\n\tmemry = "1GiB"\n')
    place = Place(file=str(file), line=2, column=2, text="memry")
    lines = problem_lines(Problem(what="Unknown key 'memry'.", place=place), Look())
    assert lines == [
        f"{file}:2:2: error: Unknown key 'memry'.",
        ' 2 |         memry = "1GiB"',
        "   |         ^^^^^",
    ]


def test_a_place_that_cannot_be_read_any_more_is_only_named() -> None:
    place = Place(file="/nowhere/boxwright.toml", line=3, column=1)
    lines = problem_lines(Problem(what="No.", place=place), Look())
    assert lines == ["/nowhere/boxwright.toml:3:1: error: No."]


def test_the_reason_fits_the_terminal_and_the_remedy_stays_whole_to_be_copied() -> None:
    problem = Problem(what="No.", why="Because of this.", remedy="boxwright up web --no-provision")
    assert problem_lines(problem, Look(width=16)) == [
        "error: No.",
        "  Because of",
        "  this.",
        "  To mend it: boxwright up web --no-provision",
    ]


def test_the_last_output_is_shown_and_harmless() -> None:
    problem = Problem(what="It failed.", tail=("one", "\x1b[2J\x1b[31mtwo"))
    assert problem_lines(problem, Look())[1:] == ["  │ one", "  │ two"]
    assert problem_lines(problem, Look(colour=True))[2].endswith("\x1b[31mtwo\x1b[0m")


def test_a_mistake_of_ours_says_so() -> None:
    lines = problem_lines(Problem(what="KeyError", report="/reports/1.txt"), Look())
    assert lines[-1] == "  This is a mistake in Boxwright; the report is in /reports/1.txt"


def test_several_mistakes_are_shown_like_the_first_one(tmp_path: Path) -> None:
    file = tmp_path / "boxwright.toml"
    file.write_text("[project]\ncpus = 1\nmemry = 2\n")
    with pytest.raises(ProjectFileError) as caught:
        load(tmp_path)
    problem = msgspec.json.decode(msgspec.json.encode(caught.value.problem), type=Problem)
    known = "  To mend it: use one of: name, provider"
    assert problem_lines(problem, Look(), label="up web failed") == [
        f"{file}:1:2: up web failed: project has no 'name'.",
        " 1 | [project]",
        "   |  ^^^^^^^",
        '  To mend it: add name = "web"',
        f"{file}:2:1: error: Unknown key 'cpus' in project.",
        " 2 | cpus = 1",
        "   | ^^^^",
        known,
        f"{file}:3:1: error: Unknown key 'memry' in project.",
        " 3 | memry = 2",
        "   | ^^^^^",
        known,
        "3 mistakes.",
    ]
