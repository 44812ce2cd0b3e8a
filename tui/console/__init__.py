"""Live terminals of guests: shells over SSH and serial consoles."""
