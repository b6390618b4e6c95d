"""Formats of a comparison of remedies: one file each, with NAME, HELP and ``render(comparison)``."""
