"""The clients under test: one file a client.

Each has a ``NAME``, a ``HELP`` and ``open_client(url, spec, observer, trusted)``, which gives an HttpClient;
``trusted`` is a file with the certificate authority of a lab server that speaks TLS, or None.
"""
