"""The workbench: a terminal interface to the engine. Nothing is imported here."""
