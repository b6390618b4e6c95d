"""The table of default timeouts in files: one small module a format, found by its name."""
