"""Conversations for tests: each side has its own sequence numbers, and knows what has reached it."""

from econnlab.packets.frames import ETHERNET, Frame
from econnlab.packets.layers import ACK, FIN, PSH, RST, SYN
from tests.support.frames import ethernet, ipv4, tcp

GET = b"GET /orders HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#: Friday the 13th of February 2009, 23:31:30 UTC.
BEGAN = 1_234_567_890


def ns(seconds):
    return BEGAN * 1_000_000_000 + round(seconds * 1_000_000_000)


class Talk:
    """One connection. Times are seconds from BEGAN; ``frames`` is what a capture beside the client holds."""

    def __init__(self, client="10.0.0.1", port=40000, server="10.0.0.2", listens=8080, ttl=64):
        self.frames = []
        self._ends = {"client": (client, port), "server": (server, listens)}
        self._next = {"client": 1000, "server": 5000}
        #: What each side has seen of the other.
        self._seen = {"client": 0, "server": 0}
        self._ttl = ttl
        self._idents = {"client": 100, "server": 7000}

    def send(self, at, who, payload=b"", flags=ACK, *, ack=None, seq=None, ttl=None, ident=None):
        """One packet as ``who`` sends it; ``seq`` repeats an old one."""
        other = "server" if who == "client" else "client"
        (host, port), (to_host, to_port) = self._ends[who], self._ends[other]
        self._idents[who] += 1
        segment = tcp(
            port, to_port,
            self._next[who] if seq is None else seq,
            (self._seen[who] if ack is None else ack) if flags & ACK else 0,
            flags, payload,
        )  # fmt: skip
        number = self._idents[who] if ident is None else ident
        data = ethernet(ipv4(host, to_host, segment, ttl=ttl or self._ttl, identifier=number & 0xFFFF))
        self.frames.append(Frame(ns(at), ETHERNET, data, len(data)))
        if seq is None:
            step = len(payload) + bool(flags & SYN) + bool(flags & FIN)
            self._next[who] = (self._next[who] + step) & 0xFFFFFFFF
        return self

    def arrives(self, *, at):
        """All that ``at`` was sent has reached it."""
        self._seen[at] = self._next["client" if at == "server" else "server"]
        return self

    def open(self, at=0.0):
        self.send(at, "client", flags=SYN).arrives(at="server")
        self.send(at + 0.001, "server", flags=SYN | ACK).arrives(at="client")
        return self.send(at + 0.002, "client")

    def ask(self, at, request=GET):
        return self.send(at, "client", request, PSH | ACK)

    def acknowledge(self, at):
        return self.arrives(at="server").send(at, "server")

    def answer(self, at, response=OK):
        return self.arrives(at="server").send(at, "server", response, PSH | ACK).arrives(at="client")

    def talk(self, *times, request=GET, response=OK):
        """Requests at these times, each answered 5 ms later."""
        for at in times:
            self.ask(at, request).answer(at + 0.005, response)
        return self

    def fin(self, at, who="server"):
        return self.send(at, who, flags=FIN | ACK)

    def rst(self, at, who="server", **more):
        """As close() sends it: with ACK."""
        return self.send(at, who, flags=RST | ACK, **more)

    def no_socket(self, at, **more):
        """As a kernel answers a packet that belongs to no connection: the number it was told, without ACK."""
        return self.send(at, "server", flags=RST, seq=self._seen["client"], ident=0, **more)

    def refuse(self, at=0.0):
        self.send(at, "client", flags=SYN).arrives(at="server")
        return self.send(at + 0.001, "server", flags=RST | ACK, seq=0, ident=0)


def captured(*talks):
    """The frames of several conversations, in order of time."""
    return sorted((frame for talk in talks for frame in talk.frames), key=lambda frame: frame.at_ns)
