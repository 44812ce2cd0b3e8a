"""Screens of machines that running builds work on: where whoever watches can look at them."""

from __future__ import annotations

from collections.abc import Callable


class Screens:
    """Sockets by the subject of an operation, e.g. a build, and by source."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        """``changed`` is told of each subject whose screens are others now."""
        self._changed = changed
        self._open: dict[str, dict[str, str]] = {}

    def shower(self, subject: str) -> Callable[[str, str], None]:
        """A :data:`core.builds.scene.Show` that speaks of a subject."""

        def show(source: str, socket: str) -> None:
            known = self._open.setdefault(subject, {})
            if socket:
                known[source] = socket
            else:
                known.pop(source, None)
            if not known:
                del self._open[subject]
            self._changed(subject)

        return show

    def of(self, subject: str) -> dict[str, str]:
        return dict(self._open.get(subject, {}))
