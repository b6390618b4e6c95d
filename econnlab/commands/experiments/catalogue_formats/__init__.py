"""Formats of the catalogue of scenarios: one file each, with ``HELP`` and ``render(groups)``."""
