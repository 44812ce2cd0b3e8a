"""Drawing a widget at once, without waiting for Textual's next frame, and without the widgets around it.

A key should be seen to act within milliseconds. Textual collects changes for up to a sixtieth of a second,
and then composes what changed with all that lies beside and below it, which takes several times as long as
drawing the lines. The names used here are Textual's own, not part of its interface: where one is missing,
the widget is drawn with the next frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual._compositor import CompositorUpdate
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.look.painted import Painted

if TYPE_CHECKING:
    from rich.console import Console


class _Lines(CompositorUpdate):
    """Lines with their places on the screen: column, row, cells."""

    def __init__(self, lines: Sequence[tuple[int, int, Strip]]) -> None:
        self.lines = lines

    def render_segments(self, console: Console) -> str:
        return "".join(f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self.lines)


def laid_out(screen: Screen[Any]) -> tuple[int, int]:
    """Columns and rows for which its widgets have their places; the screen's own size may be newer."""
    try:
        return screen._compositor.size
    except AttributeError:
        return screen.size


def outdate(widget: Widget) -> None:
    """What is kept of the widget's lines is of no use any more; it is drawn soon, by :func:`paint`."""
    widget._set_dirty()


def paint(widget: Widget, regions: Sequence[Region]) -> None:
    """Draw ``regions`` of the widget (all of it where there are none) now."""
    widget.refresh(*regions)
    screen = widget.screen
    if not widget.is_attached or screen is not widget.app.screen or widget.app._batch_count:
        return
    try:
        compositor, show = screen._compositor, screen._compositor_refresh
    except AttributeError:
        return
    if screen._layout_required:
        return
    if _lies_open(widget, compositor):
        _paint_lines(widget, compositor)
    else:
        compositor.update_widgets({widget})
        show()
    widget._repaint_required = False


def _lies_open(widget: Widget, compositor: Any) -> bool:
    """Whether all of it is to be seen, with nothing over it."""
    visible = compositor.visible_widgets
    if widget not in visible:
        return False
    region, clip = visible[widget]
    if not clip.contains_region(region):
        return False
    below = set(widget.ancestors)
    return not any(
        other is not widget and other not in below and place.overlaps(region)
        for other, (place, _) in visible.items()
    )


def _paint_lines(widget: Widget, compositor: Any) -> None:
    region, _ = compositor.visible_widgets[widget]
    whole = Region(0, 0, region.width, region.height)
    rows: set[int] = set()
    for dirty in widget._exchange_repaint_regions():
        rows.update(dirty.intersection(whole).line_range)
    lines: list[tuple[int, int, Strip]] = []
    for first, count in _runs(sorted(rows)):
        strips = _drawn(widget, first, count)
        lines += [(region.x, region.y + first + number, strip) for number, strip in enumerate(strips)]
    widget.app._display(widget.screen, _Lines(lines))  # type: ignore[arg-type]


def _drawn(widget: Widget, first: int, count: int) -> list[Strip]:
    """Some lines of it. What has nothing around its own lines needs no help of Textual's with them, which
    would take twice as long; its cache is told that they are new."""
    width = widget.size.width
    bare = isinstance(widget, Painted) and not any(widget.gutter) and widget.opacity == 1
    if not bare:
        return widget.render_lines(Region(0, first, width, count))
    _, background = widget.background_colors
    strips = [widget.render_line(y) for y in range(first, first + count)]
    for filter in widget.get_line_filters():
        strips = [strip.apply_filter(filter, background) for strip in strips]
    return strips


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs: the first of each, and how many follow one another."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and sum(found[-1]) == number:
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((number, 1))
    return found
