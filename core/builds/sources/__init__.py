"""Sources: what images are made from."""
