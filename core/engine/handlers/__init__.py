"""What the engine does for each command."""

from core.commands.line import command_line
from core.engine.handlers.builds import build_views
from core.engine.handlers.naming import subject, title
from core.engine.handlers.refusing import check
from core.engine.handlers.table import HANDLERS

__all__ = ["HANDLERS", "build_views", "check", "command_line", "subject", "title"]
