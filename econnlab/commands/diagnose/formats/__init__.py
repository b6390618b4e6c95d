"""A diagnosis in files: one small module a format, found by its name."""
