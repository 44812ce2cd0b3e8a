"""Files that make a folder a project, whatever is in them."""

PROJECT_FILES = ("boxwright.toml", "Vagrantfile")
