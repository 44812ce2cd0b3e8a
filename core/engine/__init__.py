"""The engine: commands in, events out. Import what you need from its modules; nothing is loaded here."""
