"""Packer's templates, JSON and HCL2: reading them, and working their expressions out."""

from core.templates.given import Given
from core.templates.load import load
from core.templates.problems import TemplateError
from core.templates.reading import Reading

__all__ = ["Given", "Reading", "TemplateError", "load"]
