"""Forms that write project files: machines and projects, made from the model of the file."""
