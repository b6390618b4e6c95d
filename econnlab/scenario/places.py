"""``HOST:PORT`` as people write it. Pure."""

from dataclasses import dataclass

from econnlab.errors import UsageProblem

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """A name or address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_place(text: str) -> Place:
    """``HOST:PORT``, an IPv6 address in brackets. Raises UsageProblem."""
    example = "Give HOST:PORT, as 127.0.0.1:5432, db.internal:5432 or [::1]:5432."
    if "//" in text:
        raise UsageProblem(f"{text!r} is a URL.", example)
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise UsageProblem(f"{text!r} does not name a host and a port.", example)
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise UsageProblem(f"{text!r} has an IPv6 address without brackets.", example)
    host = host[1:-1] if bracketed else host
    if not host or not host.isprintable() or set(host) & set(" /@[]"):
        raise UsageProblem(f"{text!r} does not name a host.", example)
    return Place(host, _port(port, text, 1))


def parse_listen(text: str) -> Place:
    """``PORT`` on 127.0.0.1, or ``HOST:PORT``; port 0 is any free one. Raises UsageProblem."""
    if text.isascii() and text.isdigit():
        return Place(LOOPBACK, _port(text, text, 0))
    host, colon, port = text.rpartition(":")
    if not colon:
        raise UsageProblem(f"{text!r} is not a port.", "Give PORT, or HOST:PORT, as 8081 or 0.0.0.0:8081.")
    if port == "0":
        return Place(parse_place(f"{host}:1").host, 0)
    return parse_place(text)


def _port(text: str, whole: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not least <= int(text) <= 65535:
        raise UsageProblem(f"{text!r} in {whole!r} is not a port.", f"Ports are {least} to 65535.")
    return int(text)
