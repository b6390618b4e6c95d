"""File formats of a summary: one file a format, which becomes the option of its ``NAME``.

Each has a ``NAME``, a ``HELP`` and ``render(summary)``, which returns the whole file.
"""
