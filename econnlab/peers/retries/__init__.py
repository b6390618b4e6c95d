"""Retry libraries that run as themselves inside a client peer: one file a library, found by its name."""
