"""Post-processors: what becomes of artifacts."""
