"""Expressions without a template."""

from __future__ import annotations

from pathlib import Path

from core.templates.functions import functions
from core.templates.given import Given
from core.templates.hcl.reader import HclReading
from core.templates.hcl.scope import Scope
from core.templates.model import Template


def bare(given: Given) -> HclReading:
    """A reading of no template: functions are known, variables are not."""
    here = Path(given.cwd or ".")
    scope = Scope(given.world(here), functions(), {})
    return HclReading(Template(language="hcl", root=str(here), files=()), scope, {})
