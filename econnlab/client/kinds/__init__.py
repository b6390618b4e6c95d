"""The clients under test: one file a client.

Each has a ``NAME``, a ``HELP`` and ``open_client(url, spec, observer)``, which gives an HttpClient.
"""
