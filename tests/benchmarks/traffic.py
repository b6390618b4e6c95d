"""A made-up hour at a busy site, as a pcap: keep-alive connections by the thousand, and what goes wrong.

Captured at the servers. The same for the same seed, and in little memory.
"""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

_FIN, _SYN, _RST, _PSH, _ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_BEGIN_US = 1_700_000_000_000_000
_HOUR_US = 3_600_000_000
_SNAPLEN = 262  # as of tcpdump -s 262: heads are whole, bodies are cut
_MSS = 1448
_SERVERS, _CLIENTS = 20, 250
#: How many of each go wrong among a million packets; the rest goes well.
_WRONG = {"race": 300, "unread": 100, "refused": 100, "truncated": 100, "scan": 1}
_PACKETS_EACH = 50
_WORLD_PORTS = 200

_ETHERNET = b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\x00"
#: The record's header, Ethernet, IPv4 and TCP without options. Checksums are 0, as where a card sets them.
_PACKET = struct.Struct("<IIII14s").pack
_HEADERS = struct.Struct("!BBHHHBBH8sIIIBBHHH").pack
_RECORD_HEAD, _HEADERS_SIZE = 16, 54

_REQUESTS = [
    (f"{method} /{path} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: python-requests/2.32\r\n"
     f"Accept: */*\r\nX-Filler: {'f' * filler}\r\n{length}X-Request-Id: ").encode()
    for method, path, filler, length in [
        ("GET", "orders?page=2", 20, ""), ("GET", "static/app.js", 60, ""), ("GET", "health", 0, ""),
        ("GET", "users/4711", 300, ""), ("POST", "orders", 30, "Content-Length: 0\r\n"),
        ("PUT", "carts/9", 500, "Content-Length: 0\r\n"),
    ]
]  # fmt: skip
_RESPONSES = [
    (f"HTTP/1.1 {status}\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: application/json\r\n"
     f"Connection: keep-alive\r\nContent-Length: {size}\r\n\r\n").encode() + b"b" * size
    for status, size in [
        ("200 OK", 2), ("200 OK", 120), ("200 OK", 900), ("200 OK", 2500), ("200 OK", 7000),
        ("200 OK", 14_000), ("404 Not Found", 40), ("201 Created", 300), ("304 Not Modified", 0),
    ]
] + [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nchunked\r\n0\r\n\r\n"]  # fmt: skip

#: When, and everything behind the record's time.
_Row = tuple[int, bytes]


def write_traffic(stream: BinaryIO, packets: int = 1_000_000, seed: int = 1) -> Counter[str]:
    """Write ``packets`` packets; how many connections of each kind are begun."""
    chance = random.Random(seed)
    stream.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAPLEN, 1))
    pace_us = _HOUR_US * _PACKETS_EACH / packets
    kinds, begun = _kinds(packets, chance), Counter[str]()
    waiting: list[_Row] = []
    written, at = 0, float(_BEGIN_US)
    while written < packets:
        # In batches: those that are before all that is still to come are sorted and go.
        for _ in range(1 + int(20_000_000 / pace_us)):
            kind = next(kinds)
            begun[kind] += 1
            waiting.extend(_connection(kind, int(at), begun.total(), chance))
            at += chance.expovariate(1 / pace_us)
        waiting.sort()
        ready = next((n for n, row in enumerate(waiting) if row[0] >= at), len(waiting))
        ready = min(ready, packets - written)
        stream.write(b"".join([row[1] for row in waiting[:ready]]))
        del waiting[:ready]
        written += ready
    return begun


def _kinds(packets: int, chance: random.Random) -> Iterator[str]:
    """What becomes of one connection after another; all that is to go wrong has its turn before the end."""
    wrong = [kind for kind, count in _WRONG.items() for _ in range(-(-count * packets // 1_000_000))]
    rest = max(0, packets * 9 // 10 // _PACKETS_EACH - len(wrong))
    plan = wrong + ["client closes"] * (rest // 10) + ["server closes"] * (rest - rest // 10)
    chance.shuffle(plan)
    yield from plan
    while True:
        yield "server closes"


def _connection(kind: str, at: int, number: int, chance: random.Random) -> list[_Row]:
    talk = _Talk(at, number, chance)
    if kind == "scan":
        talk.scan()
    elif kind == "refused":
        talk.say("c", _SYN)
        talk.say("s", _RST | _ACK, after=15)
    else:
        talk.open()
        for turn in range(chance.randint(1, 16)):
            talk.pause(chance.choice(_PAUSES_US) if turn else 0)
            talk.exchange()
        getattr(talk, "end_" + kind.replace(" ", "_"))()
    return talk.rows


#: From the end of an exchange to the next one; the shortest idle timeout is 5 s.
_PAUSES_US = [1_000, 5_000, 20_000, 100_000, 300_000, 800_000, 1_500_000, 4_000_000]


class _Talk:
    """The packets of one connection, at the server's card."""

    def __init__(self, at: int, number: int, chance: random.Random) -> None:
        self.rows: list[_Row] = []
        self.at, self.chance, self.number = at, chance, number
        server, client = number % _SERVERS, chance.randrange(_CLIENTS)
        self.timeout_us = 65_000_000 if server % 4 == 0 else 5_000_000
        self.rtt_us = 400 + client * 20
        ends = bytes([10, 1, 0, client]), bytes([10, 0, 0, server])
        self.hosts = {"c": ends[0] + ends[1], "s": ends[1] + ends[0]}
        # Ports of a client come again after some thousands of connections, as they do.
        port = 32_768 + number // 2 % 28_000
        self.ports = {"c": port << 16 | 80, "s": 80 << 16 | port}
        self.next = {"c": chance.getrandbits(32), "s": chance.getrandbits(32)}
        self.ident = {"c": chance.getrandbits(16), "s": chance.getrandbits(16)}

    def say(
        self,
        who: str,
        flags: int,
        payload: bytes = b"",
        after: int = 0,
        ack: int | None = None,
        seq: int = -1,
    ) -> None:
        """One packet; ``seq`` and ``ack`` where they are not what comes next."""
        self.at += after
        other = "s" if who == "c" else "c"
        sent = self.next[who] if seq < 0 else seq
        if flags & _ACK and ack is None:
            ack = self.next[other]
        ident = 0 if flags & (_SYN | _RST) else self.ident[who]
        length = _HEADERS_SIZE + len(payload)
        headers = _HEADERS(
            0x45, 0, length - 14, ident, 0x4000, 64 if who == "s" else 60, 6, 0, self.hosts[who],
            self.ports[who], sent, ack or 0, 0x50, flags, 0 if flags & _RST else 502, 0, 0,
        )  # fmt: skip
        seconds, fraction = divmod(self.at, 1_000_000)
        kept = payload[: _SNAPLEN - _HEADERS_SIZE]
        record = _PACKET(seconds, fraction, _HEADERS_SIZE + len(kept), length, _ETHERNET)
        self.rows.append((self.at, record + headers + kept))
        if not flags & _RST:
            self.ident[who] = (self.ident[who] + 1) & 0xFFFF
            self.next[who] = (sent + len(payload) + bool(flags & (_SYN | _FIN))) & 0xFFFFFFFF

    def pause(self, us: int) -> None:
        self.at += us

    def open(self) -> None:
        self.say("c", _SYN)
        self.say("s", _SYN | _ACK, after=20)
        self.say("c", _ACK, after=self.rtt_us)

    def ask(self) -> None:
        name = b"%08x%08x\r\n\r\n" % (self.number, len(self.rows))
        self.say("c", _PSH | _ACK, self.chance.choice(_REQUESTS) + name, after=100)

    def exchange(self) -> None:
        self.ask()
        self.answer(self.chance.choice(_RESPONSES), self.chance.randint(300, 60_000))

    def answer(self, response: bytes, after: int) -> None:
        """In segments of the MSS; the client confirms every other one, and the last."""
        self.pause(after)
        for begin in range(0, len(response), _MSS):
            segment = response[begin : begin + _MSS]
            last = begin + _MSS >= len(response)
            self.say("s", _ACK | (_PSH if last else 0), segment, after=12)
            if last or begin // _MSS % 2:
                self.say("c", _ACK, after=self.rtt_us if last else 12)

    def end_server_closes(self) -> None:
        """After its idle timeout; the client's pool drops the connection some time later."""
        self.say("s", _FIN | _ACK, after=self.timeout_us)
        self.say("c", _ACK, after=self.rtt_us)
        self.say("c", _FIN | _ACK, after=self.chance.randint(0, 500_000))
        self.say("s", _ACK, after=15)

    def end_client_closes(self) -> None:
        self.say("c", _FIN | _ACK, after=50_000)
        self.say("s", _FIN | _ACK, after=60)
        self.say("c", _ACK, after=self.rtt_us)

    def end_race(self) -> None:
        """The request has left when the FIN comes: the kernel answers it for a socket that is closed."""
        self.say("s", _FIN | _ACK, after=self.timeout_us)
        before_fin = (self.next["s"] - 1) & 0xFFFFFFFF
        name = b"%08x%08x\r\n\r\n" % (self.number, len(self.rows))
        request = self.chance.choice(_REQUESTS) + name
        self.say("c", _PSH | _ACK, request, after=self.rtt_us // 3, ack=before_fin)
        self.say("s", _RST, seq=before_fin, after=15)
        self.say("c", _ACK, after=self.rtt_us // 2)
        self.say("s", _RST, seq=self.next["s"], after=15)

    def end_unread(self) -> None:
        """A process that ends, or closes, with the request in its buffer."""
        self.ask()
        self.say("s", _ACK, after=40)
        self.say("s", _RST | _ACK, after=self.chance.randint(1_000, 900_000))

    def end_truncated(self) -> None:
        self.ask()
        self.answer(_RESPONSES[4][: _MSS * 2], 5_000)
        self.say("s", _FIN | _ACK, after=1_000_000)
        self.say("c", _ACK, after=self.rtt_us)
        self.say("c", _FIN | _ACK, after=200)
        self.say("s", _ACK, after=15)

    def scan(self) -> None:
        """A SYN to one port after another of a server, from outside."""
        outside, inside = bytes([203, 0, 113, 9]), self.hosts["s"][:4]
        self.hosts = {"c": outside + inside, "s": inside + outside}
        for port in range(1, _WORLD_PORTS + 1):
            self.ports = {"c": 55_555 << 16 | port * 7, "s": port * 7 << 16 | 55_555}
            self.say("c", _SYN, after=5_000)
            self.say("s", _RST | _ACK, after=15, seq=0)
