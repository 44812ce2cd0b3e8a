"""From words to a command: verbs, options, help, and what is said to nonsense."""

from __future__ import annotations

import pytest

from core.cli.operating import command_of
from core.cli.options import FLAGS, Options, add_global_options
from core.cli.own_arguments import OWN
from core.cli.parser import CommandParser, parse, parser_for
from core.cli.verb import find_verb
from core.cli.verbs import handler
from core.commands import COMMANDS, CommandSpec, find
from core.errors import UsageError
from core.model import command as commands
from core.model.machine import MachineKey

WEB = MachineKey("/shop", "web")


def spec(name: str) -> CommandSpec:
    found = find(name)
    assert found is not None
    return found


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.id)
def test_every_command_has_a_parser_help_and_somebody_who_does_it(one: CommandSpec) -> None:
    text = parser_for(one).format_help()
    assert one.help.split()[0] in text
    assert callable(handler(one))
    for argument in (*one.arguments, *OWN.get(one.id, ())):
        assert all(flag in text for flag in argument.flags)


def test_own_arguments_belong_to_commands_that_exist() -> None:
    assert set(OWN) - {one.id for one in COMMANDS} == {"help"}


def test_the_list_of_global_options_is_the_parsers() -> None:
    parser = CommandParser(None)
    add_global_options(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert flags | {"-vv", "-vvv"} == FLAGS


@pytest.mark.parametrize(
    "line",
    ["up web --json -v", "--json -v up web", "--json up -v web", "-v up --json web", "up --json -v -- web"],
)
def test_global_options_stand_anywhere(line: str) -> None:
    found = find_verb(line.split())
    assert found.spec is spec("up")
    given = parse(found.spec, found.words)
    assert given.machines == ["web"]
    assert Options.of(given) == Options(json=True, verbose=1)


def test_the_value_of_an_option_is_no_verb() -> None:
    found = find_verb(["--project", "box", "box", "--json", "list"])
    assert found.spec is spec("box list")
    assert found.words == ("--project", "box", "--json")


def test_machines_and_options_may_be_mixed() -> None:
    given = parse(spec("up"), ["web", "--provision", "db*", "--provider=qemu", "x"])
    assert (given.machines, given.provision, given.provider) == (["web", "db*", "x"], True, "qemu")


def test_yes_no_options_have_three_states() -> None:
    up = spec("up")
    states = [parse(up, words).provision for words in ([], ["--provision"], ["--no-provision"])]
    assert states == [None, True, False]
    with pytest.raises(UsageError, match="not allowed with"):
        parse(up, ["--provision", "--no-provision"])


def test_the_last_word_of_a_snapshot_command_is_its_name() -> None:
    save = spec("snapshot save")
    assert (parse(save, ["s1"]).machines, parse(save, ["s1"]).name) == ([], "s1")
    given = parse(save, ["web", "db", "s1"])
    assert (given.machines, given.name) == (["web", "db"], "s1")


def test_what_comes_after_two_dashes_is_for_ssh() -> None:
    given = parse(spec("ssh"), ["web", "-A", "--", "-L", "80:localhost:80", "--json"])
    assert (given.machines, given.rest) == (["web"], ["-L", "80:localhost:80", "--json"])
    assert Options.of(given) == Options()


def test_commands_carry_what_was_written() -> None:
    given = parse(spec("provision"), ["web", "--only", "a", "--only", "b", "--start-at", "3"])
    made = command_of(spec("provision"), given, machine=WEB)
    assert made == commands.Provision(machine=WEB, only=("a", "b"), start_at=3)
    given = parse(spec("box add"), ["x.box", "--name", "n", "-f"])
    assert command_of(spec("box add"), given) == commands.AddBox(source="x.box", name="n", force=True)


def test_paths_here_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    given = parse(spec("upload"), ["folder/", "/srv"])
    made = command_of(spec("upload"), given, machine=WEB)
    assert made == commands.Upload(machine=WEB, source=f"{tmp_path}/folder/", target="/srv")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("upp", "Did you mean 'up'"),
        ("destory", "'destroy'"),
        ("box lst", "'box list'"),
        ("ops canel", "'ops cancel'"),
        ("machine.up", ""),
        ("snapshot sav x", "'snapshot save'"),
    ],
)
def test_unknown_commands_say_what_may_have_been_meant(line: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_verb(line.split())
    assert hint in caught.value.problem.why
    assert caught.value.problem.remedy.startswith("boxwright help")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("up --nonsense", "--nonsense"),
        ("provision --start-at two", "not a whole number"),
        ("provision --start-at -1", "less than nothing"),
        ("box add", "SOURCE"),
        ("snapshot save", "SNAPSHOT"),
        ("status --project", "expected one argument"),
    ],
)
def test_wrong_arguments_are_named_with_the_way_to_help(line: str, says: str) -> None:
    found = find_verb(line.split())
    assert found.spec is not None
    with pytest.raises(UsageError, match=says) as caught:
        parse(found.spec, found.words)
    assert caught.value.problem.remedy == f"boxwright {found.spec.name} --help"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("status --jsn", "'--json'"),
        ("up --no-provison web", "'--no-provision'"),
        ("up --qqqqqq", ""),
        ("migrate x --to y", ""),
    ],
)
def test_options_are_guessed(line: str, hint: str) -> None:
    found = find_verb(line.split())
    assert found.spec is not None
    with pytest.raises(UsageError) as caught:
        parse(found.spec, found.words)
    assert hint in caught.value.problem.why
    assert bool(hint) == bool(caught.value.problem.why)


def test_aliases_and_groups() -> None:
    assert find_verb(["start", "web"]).spec is spec("up")
    assert find_verb(["ops", "list"]).spec is spec("ops")
    assert find_verb(["ops"]).spec is spec("ops")
    assert find_verb(["box"]).group == "box"
    assert find_verb([]).spec is None


def test_help_wins_over_what_is_missing() -> None:
    assert parse(spec("box add"), ["--help"]).help
    assert parse(spec("ssh"), ["--", "--help"]).rest == ["--help"]
