"""HAProxy, with a pool of connections to the server (http-reuse, pool-purge-delay)."""

from econnlab.peers.proxying import Proxying

NAME = "haproxy"
HELP = "HAProxy with http-reuse always"
PROGRAM = "haproxy"
PACKAGE = "haproxy"

# pool-purge-delay: after each such period half of the idle connections above what was needed are closed.
_CONFIGURATION = """
global
    maxconn 512
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    retries 0
frontend lab
    bind 127.0.0.1:{port}
    default_backend lab
backend lab
    http-reuse always
    server lab 127.0.0.1:{upstream_port} pool-purge-delay {idle_timeout_ms}ms pool-max-conn 64
"""


def command(program: str, proxying: Proxying) -> list[str]:
    """The words that start it."""
    return [program, "-db", "-f", proxying.configured("haproxy.cfg", _CONFIGURATION)]
