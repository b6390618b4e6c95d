"""A lab server that speaks TLS, for tests."""

from pathlib import Path

from econnlab.lab.certificates import make_certificate
from econnlab.lab.children import Child
from econnlab.lab.listeners import bind
from econnlab.scenario.server import ServerSpec
from econnlab.server.settings import ServerSettings
from tests.conftest import Running


class TlsServer(Running):
    """A context manager. ``authority`` is a file with what clients are to trust."""

    def __init__(self, folder: Path, **settings) -> None:
        made = make_certificate("127.0.0.1")
        self.authority = str(folder / "authority.pem")
        Path(self.authority).write_text(made.authority)
        served = ServerSettings(spec=ServerSpec(tls=True, **settings), certificate=made.server)
        super().__init__(Child("econnlab.server", bind("127.0.0.1", 0), served))
        self.url = f"https://127.0.0.1:{self.child.port}/"

    def __enter__(self):
        self.child.wait_until_listening()
        return self

    def __exit__(self, *_):
        self.child.stop()
