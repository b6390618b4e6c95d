"""Formats of a run: one file each, whose name becomes the option.

Each has a ``HELP`` and ``render(summary)``, which returns the whole file.
"""
