"""Retry policies: one file a policy.

Each has a ``NAME``, a ``HELP`` of one line, a ``SOURCE`` (what was read), a ``KIND`` (``library``: the
library itself is asked; ``model``: its rule written down here), ``RETRIES`` (how many more tries it makes by
default) and ``policy(retries, random)``, which gives one client's Policy; jitter comes from ``random``.
``FIXED`` is true where the original has no setting for more tries.
"""
