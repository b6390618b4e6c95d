"""The clients under test: one file a client, found by its ``NAME``.

Each file has

- ``NAME`` and ``HELP``: the word for ``--client``, and one line about it;
- ``POOLED``: whether it can check, limit and ping idle connections before it reuses one;
- ``TLS``: whether it speaks TLS;
- ``open_client(url, spec, observer, trusted)``, which returns an HttpClient (econnlab/client/session.py) and
  raises UsageProblem for settings of ``spec`` that the client does not have. ``trusted`` is a file with the
  certificate authority of a lab server that speaks TLS, or None.

A client over urllib3 makes its PoolManager with ``tls_settings`` and passes it to ``observe``
(econnlab/client/observed.py); urllib3_pool.py is the shortest example. Its connections then report all steps.

Any other client reports the steps itself. Its connection class has the attributes of ``ClientConnection``
(econnlab/client/unfinished.py): ``sock``, ``number``, ``local`` and ``idle_since``, all None at first, and
``close()``. For each request, in this order:

1.  ``observer.hold()`` before it takes up a connection, pooled or new. It returns when the request is due.
2.  ``observer.begin_attempt(connection)``. Each further attempt that the client makes by itself begins so.
3.  For a new connection only: ``connection.sock = observer.open_socket(connection, timeout_s)`` in place of
    socket.create_connection; then TLS, if there is any; then ``observer.on_connected(connection)``.
    The socket records what ``sendall``, ``recv`` and ``recv_into`` do: use no other calls to send or read.
4.  ``observer.block()`` before the first byte of the request is written.
5.  The request, inside ``with observer.failures(sending=True):``.
6.  The response's head, inside ``with observer.failures():``, then ``observer.on_response(status, headers)``,
    where ``headers`` are pairs of text.
7.  The body to its end. ``perform`` then returns, or raises whatever the library raises.

An error that ``perform`` raises is recorded in any case; ``failures()`` is for errors that the client
ignores, or after which it tries again by itself. ``observer.spec`` holds the settings. The session ends the
attempt, closes the sockets of failed attempts and applies the retry policy.

tests/lab/test_new_client.py adds a client in this way.
"""
