"""What the server does with a connection above its limit: one file a manner.

A manner has a ``NAME``, a ``HELP`` and ``on_acceptable(server)``, called while the server is full and the
kernel has a connection ready.
"""
