"""Go's templates: ``{{user `name`}}`` in the strings of templates."""
