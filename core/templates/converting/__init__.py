"""Templates from one language into another; what cannot be said there is named."""

from core.templates.converting.convert import Converted, convert

__all__ = ["Converted", "convert"]
