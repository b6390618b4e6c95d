"""What a reverse proxy is told: the same for each."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Proxying:
    """Ports on 127.0.0.1, and how long an idle connection to the server is kept, in ms."""

    folder: Path
    port: int
    upstream_port: int
    idle_timeout_ms: int

    def configured(self, name: str, template: str) -> str:
        """The path of the file ``name``, which holds ``template`` with these values in its braces."""
        file = self.folder / name
        file.write_text(template.format(**vars(self)))
        return str(file)
