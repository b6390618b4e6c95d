"""Causes of a failure: one file per cause, named after it, with one line in attribution/order.py.

Each has a ``HELP`` in a sentence and ``explain(case)``, which returns a Finding if the case holds its
evidence and None otherwise; it looks at nothing but the case. ``COLUMN`` is the number of its column in the
interval table; a cause that only captures can show has none. ``ADVICE`` is what ``diagnose`` tells the
server's owner.
"""
