"""From what is typed or filled in to a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.commands import BY_ID, COMMANDS, Subject
from core.errors import UsageError
from core.model import command as commands
from tests.support.fake_client import SHOP, box, machine, shop
from tui.bindings import OWN
from tui.choice import NOTHING, Choice, box_choice, build_choice, machine_choice
from tui.keys import Keymap, refusal
from tui.keys import commands as known
from tui.orders import build, defaults, line_of
from tui.store import Draft, State
from tui.typed import completions, parse

WEB = machine("web")
CHOSEN = Choice(kind=Subject.MACHINE, key=str(WEB.key), machine=WEB, project=SHOP)


@pytest.mark.parametrize(
    ("line", "id", "values"),
    [
        ("up", "machine.up", {}),
        ("up --no-provision", "machine.up", {"provision": False}),
        ("start", "machine.up", {}),
        ("snapshot save before", "snapshot.save", {"name": "before"}),
        ("snapshot save web", "snapshot.save", {}),
        ("snapshot save web web", "snapshot.save", {"name": "web"}),
        ("provision --only a --only b", "machine.provision", {"only": ("a", "b")}),
        ("provision --start-at=3", "machine.provision", {"start_at": "3"}),
        ("box add x --box-version '>= 1'", "box.add", {"source": "x", "version": ">= 1"}),
        ("box update a b", "box.update", {"names": ("a", "b")}),
        ("upload 'a file' /tmp/", "machine.upload", {"source": "a file", "target": "/tmp/"}),
        ("ops cancel", "operation.cancel", {}),
    ],
)
def test_a_line_is_understood(line: str, id: str, values: dict[str, object]) -> None:
    typed = parse(line, [WEB])
    assert (typed.spec.id, typed.values) == (id, values)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "No command"),
        ("frob", "There is no command 'frob'"),
        ("halt --frob", "halt has no option --frob"),
        ("halt one two", "There is no machine 'one'"),
        ("halt web two", "There is no machine 'two'"),
        ("halt 'n*'", "No machine matches"),
        ("halt -v", "says how a shell is to print"),
        ("ssh web db", "There is no machine 'db'"),
        ("build nosuch", "There is no build 'nosuch'"),
        ("destroy nosuch", "There is no machine 'nosuch'"),
        ("box remove a b", "box remove takes no argument 'b'"),
        ("halt --project /nowhere web", "There is no machine 'web' in /nowhere"),
        ("halt --project /home/ada/shop", "Name the machine"),
        ("box add x --project /w", "box add has no option --project"),
        ("provision --start-at", "--start-at needs a value"),
        ("box add 'x", "cannot be read"),
    ],
)
def test_a_line_that_makes_no_sense_is_told(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(line, [WEB])


OTHER = machine("web", project="/home/ada/blog")


def test_a_name_in_two_projects_is_refused_and_the_project_decides() -> None:
    with pytest.raises(UsageError, match="Several projects have a machine 'web'") as refused:
        parse("halt web", [WEB, OTHER])
    assert "/home/ada/blog" in refused.value.problem.why
    assert SHOP in refused.value.problem.why
    assert "--project" in refused.value.problem.remedy
    assert parse("halt web --project /home/ada/blog", [WEB, OTHER]).machine == OTHER.key
    assert parse(f"halt --project={SHOP} web --force", [WEB, OTHER]).machine == WEB.key


@pytest.mark.parametrize(
    ("line", "names", "values"),
    [
        ("halt web db", ("web", "db"), {}),
        ("halt 'w*' db web", ("web", "db"), {}),
        ("halt /^[dw]/ --force", ("web", "db"), {"force": True}),
        ("snapshot save web db before", ("web", "db"), {"name": "before"}),
        ("upload a b web", ("web",), {"source": "a", "target": "b"}),
    ],
)
def test_several_machines_and_patterns_are_meant_as_in_a_shell(
    line: str, names: tuple[str, ...], values: dict[str, object]
) -> None:
    typed = parse(line, [WEB, machine("db")])
    assert (tuple(key.name for key in typed.machines), typed.values) == (names, values)


def test_several_builds_are_meant_as_in_a_shell() -> None:
    assert parse("build base 'win*'", [], SHOP, ["base", "windows", "x"]).builds == ("base", "windows")


def test_yes_asks_nothing() -> None:
    assert parse("destroy web --yes", [WEB]).yes
    assert parse("destroy -y", [WEB]).yes
    assert not parse("destroy web", [WEB]).yes


def test_an_unknown_machine_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as refused:
        parse("destroy wbe", [WEB, machine("db")], SHOP)
    assert refused.value.problem.why == f"Known in {SHOP} are: db and web."


def test_only_machines_of_the_shown_project_are_meant() -> None:
    with pytest.raises(UsageError, match="There is no machine 'blog'"):
        parse("halt blog", [WEB, machine("blog", project="/home/ada/blog")], SHOP)
    assert parse("halt web", [OTHER, WEB], SHOP).machine == WEB.key
    assert parse("halt web", [WEB, OTHER], SHOP).machine == WEB.key


def test_the_command_line_names_the_project_where_it_is_another() -> None:
    halt = BY_ID["machine.halt"]
    other = Choice(kind=Subject.MACHINE, key=str(OTHER.key), machine=OTHER, project="/home/ada/blog")
    assert line_of(halt, CHOSEN, {}, SHOP) == "boxwright halt web"
    assert line_of(halt, other, {}, SHOP) == "boxwright --project /home/ada/blog halt web"
    assert line_of(BY_ID["machine.ssh"], other, {}, SHOP) == "boxwright --project /home/ada/blog ssh web"


def test_a_new_project_takes_its_box() -> None:
    assert parse("init tiny/tiny", []).values == {"box": "tiny/tiny"}


def test_paths_are_made_absolute_and_names_of_boxes_are_not(tmp_path: Path) -> None:
    add = BY_ID["box.add"]
    assert build(add, NOTHING, {"source": "debian/x"}, str(tmp_path)) == commands.AddBox(source="debian/x")
    assert build(add, NOTHING, {"source": "./a.box"}, "/w") == commands.AddBox(source="/w/a.box")
    (tmp_path / "a.box").write_text("")
    assert build(add, NOTHING, {"source": "a.box"}, str(tmp_path)) == commands.AddBox(
        source=str(tmp_path / "a.box")
    )
    upload = build(BY_ID["machine.upload"], CHOSEN, {"source": "x", "target": "y"}, "/w")
    assert upload == commands.Upload(machine=WEB.key, source="/w/x", target="y")


def test_a_path_in_the_machine_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    download = build(BY_ID["machine.download"], CHOSEN, {"source": "x", "target": "y"}, str(tmp_path))
    assert download == commands.Download(machine=WEB.key, source="x", target=str(tmp_path / "y"))


def test_what_is_missing_or_wrong_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        build(BY_ID["snapshot.save"], CHOSEN, {}, "/")
    with pytest.raises(UsageError, match="must be a number"):
        build(BY_ID["machine.provision"], CHOSEN, {"start_at": "two"}, "/")


def test_the_equivalent_command_line_names_what_is_missing() -> None:
    assert line_of(BY_ID["machine.upload"], CHOSEN, {"source": "x"}) == "boxwright upload web x TARGET"
    assert line_of(BY_ID["machine.ssh"], CHOSEN, {}) == "boxwright ssh web"
    assert line_of(BY_ID["machine.up"], NOTHING, {}) == "boxwright up"


@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if spec.struct], ids=lambda spec: spec.id)
def test_every_command_can_be_built_from_a_form(spec) -> None:  # type: ignore[no-untyped-def]
    made = box("b")
    view = shop(Path("/")).projects[SHOP].builds[0]
    choice = Choice(kind=spec.subject, key="k", machine=WEB, box=made, build=view, project=SHOP)
    values = {argument.field: "1" for argument in spec.arguments if argument.required}
    command = build(spec, choice, {**defaults(spec, choice), **values}, "/w")
    assert isinstance(command, spec.struct)


def test_completions_begin_with_what_was_typed() -> None:
    assert completions("snap")[0].name.startswith("snapshot")
    assert [spec.id for spec in completions("shell")] == ["machine.ssh"]
    assert len(completions("")) == len(COMMANDS)


# Keys.


def test_no_two_commands_of_one_kind_share_a_key() -> None:
    for kind in (Subject.MACHINE, Subject.BOX, Subject.BUILD):
        keymap = Keymap()
        keys = [keymap.key(spec.id) for spec in keymap.footer(kind)]
        assert len(keys) == len(set(keys)), kind
        for spec in keymap.footer(kind):
            assert keymap.find([keymap.key(spec.id)], kind) is spec
    assert len({own.key for own in OWN}) == len(OWN)


def test_a_key_belongs_to_the_selected_kind_of_thing() -> None:
    keymap = Keymap()
    for kind, id in ((Subject.MACHINE, "machine.destroy"), (Subject.BOX, "box.remove")):
        found = keymap.find(["d"], kind)
        assert found is not None
        assert found.id == id
    cleaning = keymap.find(["d"], Subject.BUILD)
    assert cleaning is not None
    assert cleaning.id == "workbench.clean-up"


def test_every_refusal_is_a_sentence() -> None:
    for spec in known():
        reason = refusal(spec, NOTHING)
        assert reason == "" or reason.endswith("."), spec.id


# Choices.


def test_a_choice_follows_its_thing_through_the_states(tmp_path: Path) -> None:
    draft = Draft(State())
    world = shop(tmp_path)
    draft.take([world.snapshot()])
    draft.take_project(world.projects[SHOP])
    state = draft.done()
    web = machine_choice(state, f"{SHOP}:web")
    assert (web.title, web.operation and web.operation.id) == ("web", "000000")
    assert web.probe is not None
    assert machine_choice(state, "nobody") == NOTHING
    assert box_choice(state, str(box("shop/base", "3").key)).title == "shop/base 3"
    assert box_choice(state, "operation:999") == NOTHING
    assert build_choice(state, SHOP, "base").title == "base"
    assert build_choice(state, SHOP, "nothing") == NOTHING
