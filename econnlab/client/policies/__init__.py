"""Retry policies: one file a policy.

Each has a ``NAME``, a ``HELP`` of one line, a ``SOURCE`` (the code it was read from), a ``KIND``
(``library``: the library itself decides; ``model``: its rule is written down here), ``RETRIES`` (how many
more tries it makes by default) and ``policy(retries, random)``, which returns one client's Policy; jitter
comes from ``random``. ``FIXED`` is true if the original has no setting for more tries.
"""
