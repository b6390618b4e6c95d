"""Formats of a batch of scenarios: one file each, with ``HELP`` and ``render(batch)``."""
