"""Themes, settings, signs, and what the terminal can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core import resources
from core.errors import ConfigError
from core.model.machine import MachineState
from core.model.operation import StepState
from tui import settings
from tui.look import signs, themes
from tui.look.lines import cut, cut_left, spread, width_of, wrap
from tui.look.look import Look
from tui.look.signs import ASCII, UNICODE
from tui.terminal import Terminal, look_around


@pytest.mark.parametrize("name", themes.names([resources.themes()]))
def test_every_theme_that_comes_along_is_right(name: str) -> None:
    theme = themes.find(name, [resources.themes()])
    assert theme.name == name
    assert theme.title


def contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


STATES = ("good", "busy", "warn", "bad", "cached")
COLOURED = [name for name in themes.names([resources.themes()]) if name != themes.PLAIN]


def test_there_is_something_for_everybody() -> None:
    assert len(COLOURED) >= 18
    assert {"high-contrast-dark", "high-contrast-light", "modus-vivendi-deuteranopia"} <= set(COLOURED)


@pytest.mark.parametrize("name", COLOURED)
def test_every_role_can_be_read_on_its_ground(name: str) -> None:
    """WCAG 2: 4.5 for text, 7 where a theme promises high contrast, 3 for signs and what is said faintly."""
    colours = themes.find(name, [resources.themes()]).colours
    strict = name.startswith(("modus", "high-contrast"))
    for role in ("text", "accent", "focus", *STATES):
        assert contrast(getattr(colours, role), colours.background) >= (7.0 if strict else 4.5), role
    for role in ("text", "accent", "muted"):
        assert contrast(getattr(colours, role), colours.panel) >= (4.5 if strict else 3.5), role
    for role in STATES:
        assert contrast(getattr(colours, role), colours.selection) >= 3.0, role
    assert contrast(colours.muted, colours.background) >= 4.0
    assert contrast(colours.selection_text, colours.selection) >= 4.5


@pytest.mark.parametrize("name", ["modus-vivendi-deuteranopia", "modus-operandi-deuteranopia"])
def test_good_and_bad_differ_also_without_red_and_green(name: str) -> None:
    """Where red and green look alike, blue and brightness are left to tell them apart."""
    colours = themes.find(name, [resources.themes()]).colours
    good, bad = (int(colour[5:7], 16) for colour in (colours.good, colours.bad))
    assert abs(good - bad) >= 100


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name"),
        ("name = 'x'\n", "colours"),
        ("name = 'x'\n[colours]\nbackground = 'pink'\n", "background"),
        ("not toml", "Expected|expected"),
        ("name = 'x'\nsurprise = 1\n", "surprise|colours"),
    ],
)
def test_a_broken_theme_says_what_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="'mine' cannot be used") as caught:
        themes.read(path)
    assert re.search(why, caught.value.problem.why)
    assert caught.value.problem.place is not None


def test_settings_keep_comments_and_what_they_do_not_know(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "settings.toml"
    assert settings.load(path) == (settings.Settings(), None)
    settings.remember(path, "theme", "light")
    assert settings.load(path)[0].theme == "light"
    path.write_text('# mine\ntheme = "light"\nfuture = 1\n[keys]\n"machine.up" = "f5"\n')
    settings.remember(path, "theme", "dark")
    text = path.read_text()
    assert "# mine" in text
    assert "future = 1" in text
    assert settings.load(path)[0] == settings.Settings(theme="dark", keys={"machine.up": "f5"})


@pytest.mark.parametrize("text", ["theme = ", "theme = 5", "\udcff"])
def test_broken_settings_are_told_and_the_defaults_used(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found, problem = settings.load(path)
    assert found == settings.Settings()
    assert problem is not None
    assert str(path) in str(problem)


@pytest.mark.parametrize(
    ("environment", "terminal"),
    [
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8"}, Terminal(colours=256)),
        ({"TERM": "xterm", "LANG": "de_DE.UTF-8"}, Terminal(colours=16)),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "LC_ALL": "en_GB.utf8"}, Terminal()),
        ({"TERM": "xterm-256color", "NO_COLOR": "", "LANG": "C.UTF-8"}, Terminal(colours=0)),
        ({"TERM": "dumb", "LANG": "C"}, Terminal(colours=0, unicode=False)),
        ({"TERM": "linux", "LANG": "POSIX"}, Terminal(colours=16, unicode=False)),
        ({"TERM": "xterm-kitty", "LC_ALL": "C", "LANG": "C.UTF-8"}, Terminal(unicode=False)),
        ({"TERM": "xterm-kitty", "LANG": "C.UTF-8", "SSH_CONNECTION": "x"}, Terminal(remote=True)),
    ],
)
def test_the_terminal_is_told_by_its_environment(environment: dict[str, str], terminal: Terminal) -> None:
    assert look_around(environment) == terminal


def test_a_remote_terminal_gets_fewer_frames() -> None:
    assert Terminal(remote=True).frames == 4
    assert Terminal().frames == 10
    assert Terminal(remote=True).console_frames < Terminal().console_frames == 60


@pytest.mark.parametrize("found", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_state_has_a_sign_and_the_important_ones_differ(found: signs.Signs) -> None:
    machines = (MachineState.RUNNING, MachineState.STOPPED, MachineState.BROKEN, MachineState.STARTING)
    assert len({signs.of_machine(state, found)[0] for state in machines}) == 4
    steps = (StepState.DONE, StepState.FAILED, StepState.RUNNING, StepState.WAITING)
    assert len({signs.of_step(state, found)[0] for state in steps}) == 4
    for name in signs.Signs.__struct_fields__:
        text = getattr(found, name)
        assert name in ("border", "levels") or len(text) == 1
        assert found is UNICODE or text.isascii()


def test_a_bar_is_full_only_when_all_is_done() -> None:
    assert signs.bar(0, 10, 5, ASCII) == "-----"
    assert signs.bar(9.99, 10, 5, ASCII) == "####-"
    assert signs.bar(10, 10, 5, ASCII) == "#####"
    assert signs.bar(50, 10, 5, ASCII) == "#####"
    assert signs.bar(1, 0, 3, ASCII) == "---"


def test_a_selected_row_is_seen_without_colour() -> None:
    look = Look(themes.COLOURLESS, Terminal(colours=0))
    assert look.selected("text", focused=True).reverse
    assert look.selected("good", focused=False).underline
    assert look.style("bad").bold
    assert look.style("bad").color is None


def test_text_is_cut_and_wrapped_by_cells() -> None:
    assert cut("中文字", 4) == "中…"
    assert cut("abc", 3) == "abc"
    assert cut_left("/a/long/path", 6) == "…/path"
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("a\x1b[31mb", 10) == ["a [31mb"]
    parts = spread([("a long left side", "text")], [("right", "muted")], 14)
    assert width_of(parts) == 14
    assert "".join(text for text, _ in parts).endswith("right")
