"""Real clients: one file a client, found by its name. Each runs as itself, in a process of its own.

Each has a ``NAME``, a ``HELP``, ``INSTALL`` (npm, PyPI or Debian), ``PRODUCT`` (its name in advice/products),
``RETRIES`` (the names of the retry libraries it can run with, its own among them), ``WORDS`` (words of its
errors and the outcome each means) and ``command(name, retry)``, which finds the client and returns the
Command that starts it. The process speaks the protocol of docs/client-protocol.md.
"""
