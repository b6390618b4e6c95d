"""A judged chain of timeouts in files: one small module a format, found by its name."""
