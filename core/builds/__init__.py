"""Builds: boxes that a project makes for itself."""
