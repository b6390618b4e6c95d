"""A lab server that speaks TLS, for tests."""

from pathlib import Path

from econnlab.lab.certificates import make_certificate
from econnlab.lab.listeners import bind
from econnlab.lab.processes import Child
from econnlab.scenario.codec import encode
from econnlab.scenario.server import ServerSpec
from tests.conftest import Running


class TlsServer(Running):
    """A context manager. ``authority`` is a file with what clients are to trust."""

    def __init__(self, folder: Path, **settings) -> None:
        made = make_certificate(folder, "127.0.0.1")
        self.authority = made.authority
        spec = encode(ServerSpec(tls=True, **settings))
        listener = bind("127.0.0.1", 0)
        super().__init__(
            Child("econnlab.server", listener, {"spec": spec, "certificate": made.server}, lambda: None)
        )
        self.url = f"https://127.0.0.1:{self.child.port}/"

    def __enter__(self):
        self.child.wait_until_listening()
        return self

    def __exit__(self, *_):
        self.child.stop()
