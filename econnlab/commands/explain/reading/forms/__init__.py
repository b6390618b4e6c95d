"""One file a form: ``NAME``, ``ORDER`` (the most telling first), ``HINTS``, ``read``.

``HINTS`` are lower-case literals. The index holds them, so that a form whose hints do not occur in the
text is never imported.
"""
