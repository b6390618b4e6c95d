"""A probe in files: one small module a format, found by its name."""
