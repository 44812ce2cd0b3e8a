"""Sources of data: what a template asks for before its builds begin."""
