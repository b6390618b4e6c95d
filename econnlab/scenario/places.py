"""``HOST:PORT`` and URLs as people write them. Pure."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from econnlab.errors import UsageProblem

LOOPBACK = "127.0.0.1"
#: The port of each scheme, if the URL names none.
PORTS = {"http": 80, "https": 443}


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


def parse_url(url: str) -> tuple[str, str, int]:
    """The scheme, host and port of ``url``. Raises UsageProblem if it is not an http(s) URL."""
    example = "Give one as http://127.0.0.1:3000/."
    try:
        parsed = urlsplit(url)
        port = parsed.port
    except ValueError as error:
        raise UsageProblem(f"{url!r} is not a URL: {error}.", example) from error
    if parsed.scheme not in PORTS:
        said = f"the scheme {parsed.scheme!r}" if "://" in url else "no scheme"
        raise UsageProblem(f"{url!r} has {said}; the lab speaks http and https.", example)
    if not parsed.hostname:
        raise UsageProblem(f"{url!r} names no host.", example)
    if any(character.isspace() or not character.isprintable() for character in url):
        raise UsageProblem(f"{url!r} has blanks or control characters in it.", example)
    host = parsed.hostname.replace("%25", "%")  # the zone of an IPv6 address (RFC 6874)
    return parsed.scheme, host, PORTS[parsed.scheme] if port is None else port


def _port(text: str, whole: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not least <= int(text) <= 65535:
        raise UsageProblem(f"{text!r} in {whole!r} is not a port.", f"Ports are {least} to 65535.")
    return int(text)
