"""Why a box is left alone by an update, in words."""

from __future__ import annotations

NO_CATALOGUE = "it came from no catalogue"
NEWEST = "it is the newest version"
NOTHING_NEWER = (NO_CATALOGUE, NEWEST)
"""Those after which nothing is left to be done."""
