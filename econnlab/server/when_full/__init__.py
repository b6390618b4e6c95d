"""What the server does with a connection above its limit: one file per manner.

A manner has a ``NAME``, a ``HELP`` and ``on_acceptable(server)``, which is called while the server is full
and a connection is in the kernel's queue.
"""
