"""The step tree, frame by frame."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.cli import cells, tree
from core.cli.look import Look
from core.model.operation import Progress, StepState
from tests.cli.boards import board, frame, operation, step

DOWNLOAD = Progress(225e6, 500e6, "bytes", 12.5e6)
UP = board(
    operation(),
    step(1, "Box debian/bookworm64 12.5", StepState.CACHED),
    step(2, "Download", progress=DOWNLOAD),
    step(3, "Wait for SSH", detail="port open · banner"),
    step(4, "Provision", StepState.WAITING, started=0.0),
)


def lines(width: int, height: int = 24, **fields: object) -> list[str]:
    tails = {"000001": ["Get:1 \x1b[32mmain\x1b[0m", "\x1b[31mFetched 8,993 kB"]}
    return tree.live(UP, ["000001"], tails, frame(width, height, **fields))


def test_eighty_columns() -> None:
    assert lines(80) == [
        "⠋ up web                                                                 10.0 s",
        "  ✓ Box debian/bookworm64 12.5                                           cached",
        "  ⠋ Download                      ▰▰▰▰▱▱▱▱▱▱ 45 %  11.9 MiB/s  0:22 left  5.0 s",
        "  ⠋ Wait for SSH  port open · banner                                      5.0 s",
        "    │ Get:1 main",
        "    │ Fetched 8,993 kB",
        "  · Provision                                                           waiting",
    ]


def test_forty_columns_have_no_bar_and_no_overflow() -> None:
    assert lines(40) == [
        "⠋ up web                         10.0 s",
        "  ✓ Box debian/bookworm64 12.5   cached",
        "  ⠋ Download                45 %  5.0 s",
        "  ⠋ Wait for SSH  port open · b…  5.0 s",
        "    │ Get:1 main",
        "    │ Fetched 8,993 kB",
        "  · Provision                   waiting",
    ]


def test_ascii_terminals_get_ascii() -> None:
    text = "\n".join(lines(80, look=Look(unicode=False)))
    assert text.replace("·", "-").isascii()
    assert "| up web" in text
    assert "= Box" in text


def test_colours_of_the_output_are_kept_and_ended() -> None:
    coloured = lines(80, look=Look(colour=True))
    assert any("\x1b[32mmain\x1b[0m" in line for line in coloured)
    assert coloured[5].endswith("\x1b[0m")


def test_wheels_turn() -> None:
    assert lines(80, beat=1)[0].startswith("⠙")


def test_a_step_that_went_well_folds_unless_details_are_wanted() -> None:
    made = board(
        operation(),
        step(1, "Outer", StepState.DONE),
        step(2, "Inner", StepState.DONE, parent=1),
        step(3, "Other"),
        step(4, "Under", parent=3),
    )
    folded = tree.live(made, ["000001"], {}, frame())
    assert [line.split()[1] for line in folded] == ["up", "Outer", "Other", "Under"]
    assert "Inner" in "\n".join(tree.live(made, ["000001"], {}, frame(details=True)))


def test_a_failed_step_stays_unfolded_in_the_end() -> None:
    made = board(
        operation(state=StepState.FAILED, ended=99.0),
        step(1, "Outer", StepState.FAILED),
        step(2, "Inner", StepState.FAILED, parent=1),
    )
    final = tree.final(made, made.operations["000001"], frame())
    assert [line.split()[:2] for line in final] == [["✗", "up"], ["✗", "Outer"], ["✗", "Inner"]]
    assert "failed" in final[0]


def test_who_holds_the_machine_is_shown_while_waiting() -> None:
    waiting = operation(state=StepState.WAITING, started=0.0, detail="held by 000007 (halt) for 3 s")
    assert "held by 000007" in tree.live(board(waiting), ["000001"], {}, frame())[0]


def test_a_low_screen_drops_what_matters_least() -> None:
    shown = [line.split()[1] for line in lines(80, 5)]
    assert shown == ["up", "Download", "Wait", "Fetched"]


def test_more_machines_than_lines_are_counted() -> None:
    many = board(*(operation(f"{number:06d}", f"up m{number}") for number in range(50)))
    shown = tree.live(many, list(many.operations), {}, frame(60, 10))
    assert len(shown) == 9
    assert shown[-1] == "… and 42 more"


def test_output_of_a_running_step_without_steps_of_its_own_is_below_the_operation() -> None:
    shown = tree.live(board(operation()), ["000001"], {"000001": ["hello"]}, frame())
    assert shown[1].strip() == "│ hello"


def test_output_is_below_the_step_that_wrote_last() -> None:
    made = board(operation(), step(1, "left"), step(2, "right"))
    made.put_step(step(1, "left", lines=3))
    shown = tree.live(made, ["000001"], {"000001": ["hello"]}, frame())
    assert [line.split()[1] for line in shown[1:]] == ["left", "hello", "right"]


def test_progress_without_a_total_says_how_much_there_is() -> None:
    assert tree.progress_text(Progress(2048, None, "bytes", 1024), Look()) == "2.0 KiB  1.0 KiB/s"
    assert tree.progress_text(Progress(3, 4, "files"), Look(), narrow=True) == "75 %"
    assert tree.progress_text(Progress(9, 4), Look(), narrow=True) == "100 %"


NAMES = st.text(max_size=60)


@given(
    width=st.integers(10, 200),
    height=st.integers(3, 60),
    names=st.lists(st.tuples(NAMES, NAMES, st.sampled_from(StepState)), max_size=30),
    tail=st.lists(st.text(max_size=200), max_size=12),
)
def test_no_frame_overflows(
    width: int, height: int, names: list[tuple[str, str, StepState]], tail: list[str]
) -> None:
    made = board(
        operation(),
        *(step(n + 1, name, state, detail=detail) for n, (name, detail, state) in enumerate(names)),
    )
    shown = tree.live(made, ["000001"], {"000001": tail}, frame(width, height, look=Look(colour=True)))
    assert len(shown) < height
    assert all(cells.width(line) < width for line in shown)
    assert not any("\n" in line or "\r" in line for line in shown)


def test_a_step_whose_end_nobody_told_of_does_not_outlive_its_operation() -> None:
    made = board(
        operation(state=StepState.FAILED, ended=99.0),
        step(1, "Wait for SSH", detail="no answer yet"),
        step(2, "Provision", StepState.WAITING, started=0.0),
    )
    assert tree.final(made, made.operations["000001"], frame(60)) == [
        "✗ up web  failed                                      9.0 s",
        "  ✗ Wait for SSH  cut off                             4.0 s",
        "  – Provision                                       skipped",
    ]
