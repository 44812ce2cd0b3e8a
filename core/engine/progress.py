"""The rate of something that makes progress, smoothed."""

from __future__ import annotations

import math

SMOOTHING = 3.0
"""Seconds after which a change of pace has come through to about two thirds."""


class RateMeter:
    """Fed with how far something is, now and then; knows how many units a second it makes."""

    def __init__(self, smoothing: float = SMOOTHING) -> None:
        self._smoothing = smoothing
        self._current: float | None = None
        self._time = 0.0
        self._rate = 0.0
        self._weight = 0.0
        self._moved = 0.0

    def update(self, current: float, now: float) -> float:
        """The rate after this reading. ``now`` is a monotonic time in seconds."""
        if self._current is None or current < self._current:
            # The first reading (a download that resumes begins in the middle), or a new start.
            self._current, self._time = current, now
            self._rate = self._weight = 0.0
            self._moved = now
            return 0.0
        passed = now - self._time
        if passed <= 0.001:
            return self.rate
        if current > self._current:
            self._moved = now
        elif now - self._moved > 5 * self._smoothing:
            self._rate = self._weight = 0.0
            self._time = now
            return 0.0
        kept = math.exp(-passed / self._smoothing)
        self._rate = kept * self._rate + (1 - kept) * (current - self._current) / passed
        self._weight = kept * self._weight + (1 - kept)
        self._current, self._time = current, now
        return self.rate

    @property
    def rate(self) -> float:
        """Units a second; 0.0 while unknown, and once nothing has moved for a while."""
        return self._rate / self._weight if self._weight else 0.0
