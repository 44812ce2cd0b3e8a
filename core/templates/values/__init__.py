"""Values and types of templates."""
