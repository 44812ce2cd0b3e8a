"""Completion for shells: a script for each, and one hidden command that they all ask."""
