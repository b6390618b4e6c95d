"""The list of peers in files: one small module a format, found by its name."""
