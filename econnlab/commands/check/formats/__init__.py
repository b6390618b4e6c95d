"""The formats of a check: one file each, with ``HELP`` and ``render``."""
