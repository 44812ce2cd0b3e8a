"""Drawing a widget at once, without waiting for Textual's next frame.

A key that is echoed should be seen within milliseconds, and Textual collects changes for up to a sixtieth
of a second. The names used here are Textual's own, not part of its interface: where one is missing,
the widget is drawn with the next frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.widget import Widget


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
    compositor.update_widgets({widget})
    show()
    widget._repaint_required = False
