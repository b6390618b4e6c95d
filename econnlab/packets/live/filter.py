"""The kernel's filter for a capture: a program of the classic BPF, assembled. Pure.

Documentation/networking/filter.rst of the kernel. What is read lies relative to the network header
(SKF_NET_OFF), so that one program fits interfaces with a link header and those without (a TUN device).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

# linux/bpf_common.h
_LD_WORD_ABS, _LD_HALF_ABS, _LD_BYTE_ABS = 0x20, 0x28, 0x30
_LD_HALF_IND = 0x48
_LDX_HEADER = 0xB1  # x = 4 * (byte & 15): the length of an IPv4 header
_JEQ, _JSET, _RET = 0x15, 0x45, 0x06
# linux/filter.h
_AD_OFF = 0xFFFFF000  # -0x1000
_AD_PROTOCOL, _AD_PKTTYPE, _AD_IFINDEX = _AD_OFF, _AD_OFF + 4, _AD_OFF + 8
_NET_OFF = 0xFFF00000  # -0x100000
_PACKET_OUTGOING = 4  # linux/if_packet.h
_IPV4, _IPV6, _TCP = 0x0800, 0x86DD, 6
_ICMP, _ICMP6 = 1, 58
_IPV4_SOURCE, _IPV4_TARGET, _IPV6_SOURCE, _IPV6_TARGET = 12, 16, 8, 24
_FRAGMENT_OFFSET = 0x1FFF
_EVERY_BYTE = 0xFFFFFFFF
#: A jump's distance is a byte, and each port is one instruction.
MOST_PORTS = 32


@dataclass(frozen=True)
class Instruction:
    """One of the program, as struct sock_filter has it."""

    code: int
    value: int
    #: Instructions to pass over, where a comparison holds and where it does not.
    then: int = 0
    otherwise: int = 0

    def packed(self) -> bytes:
        """As the kernel reads it."""
        return struct.pack("=HBBI", self.code, self.then, self.otherwise, self.value)


#: An instruction, and the labels to which it jumps; an empty one is the next instruction.
_Line = tuple[str, int, int, str, str]


def program(ports: Sequence[int], loopback: int) -> tuple[Instruction, ...]:
    """Accept TCP over IPv4 and IPv6 from or to one of ``ports``, whole packets.

    On the interface with the index ``loopback`` a packet passes twice, on its way out and on its way in:
    the first is dropped. On others both ways are kept. Fragments but the first have no ports, and IPv6
    with extension headers is none of the lab's: both are dropped.
    """
    if not 0 < len(ports) <= MOST_PORTS:
        raise ValueError(f"between 1 and {MOST_PORTS} ports, not {len(ports)}")
    lines: list[_Line] = [
        *_once_on(loopback),
        ("network", _LD_WORD_ABS, _AD_PROTOCOL, "", ""),
        ("", _JEQ, _IPV4, "", "ipv6"),
        ("", _LD_BYTE_ABS, _NET_OFF + 9, "", ""),
        ("", _JEQ, _TCP, "", "drop"),
        ("", _LD_HALF_ABS, _NET_OFF + 6, "", ""),
        ("", _JSET, _FRAGMENT_OFFSET, "drop", ""),
        ("", _LDX_HEADER, _NET_OFF, "", ""),
        ("", _LD_HALF_IND, _NET_OFF, "", ""),
        *(("", _JEQ, port, "accept", "") for port in ports),
        ("", _LD_HALF_IND, _NET_OFF + 2, "", ""),
        *(("", _JEQ, port, "accept", "") for port in ports),
        ("", _RET, 0, "", ""),
        ("ipv6", _JEQ, _IPV6, "", "drop"),
        ("", _LD_BYTE_ABS, _NET_OFF + 6, "", ""),
        ("", _JEQ, _TCP, "", "drop"),
        ("", _LD_HALF_ABS, _NET_OFF + 40, "", ""),
        *(("", _JEQ, port, "accept", "") for port in ports),
        ("", _LD_HALF_ABS, _NET_OFF + 42, "", ""),
        *(("", _JEQ, port, "accept", "") for port in ports),
        ("drop", _RET, 0, "", ""),
        ("accept", _RET, _EVERY_BYTE, "", ""),
    ]
    return _assembled(lines)


def watching(port: int | None, host: bytes | None, loopback: int) -> tuple[Instruction, ...]:
    """Accept all TCP, and ICMP, or only that from or to ``port`` and ``host``, an address of 4 or 16 bytes.

    ICMP is accepted whatever it is about: an error names the connection behind the reach of this filter.
    """
    lines: list[_Line] = [
        *_once_on(loopback),
        ("network", _LD_WORD_ABS, _AD_PROTOCOL, "", ""),
        ("", _JEQ, _IPV4, "ipv4", ""),
        ("", _JEQ, _IPV6, "ipv6", "drop"),
        ("ipv4", _LD_BYTE_ABS, _NET_OFF + 9, "", ""),
        ("", _JEQ, _ICMP, "accept", ""),
        ("", _JEQ, _TCP, "", "drop"),
        *_of_host(host, 4, _IPV4_SOURCE, _IPV4_TARGET, "ports"),
        *_of_port(port),
        ("ipv6", _LD_BYTE_ABS, _NET_OFF + 6, "", ""),
        ("", _JEQ, _ICMP6, "accept", ""),
        ("", _JEQ, _TCP, "", "drop" if port is not None or host is not None else "accept"),
        *_of_host(host, 16, _IPV6_SOURCE, _IPV6_TARGET, "ports6"),
        *_of_port6(port),
        ("drop", _RET, 0, "", ""),
        ("accept", _RET, _EVERY_BYTE, "", ""),
    ]
    return _assembled(lines)


def _once_on(loopback: int) -> list[_Line]:
    """Drop what leaves on the interface ``loopback``: it comes in again."""
    return [
        ("", _LD_WORD_ABS, _AD_IFINDEX, "", ""),
        ("", _JEQ, loopback, "", "network"),
        ("", _LD_WORD_ABS, _AD_PKTTYPE, "", ""),
        ("", _JEQ, _PACKET_OUTGOING, "drop", ""),
    ]


def _of_host(host: bytes | None, size: int, source: int, target: int, then: str) -> list[_Line]:
    """Go to ``then`` if one of the addresses is ``host``."""
    if host is None:
        return [(f"host{size}", _LD_WORD_ABS, _NET_OFF + source, "", "")]
    if len(host) != size:
        return [
            (f"host{size}", _LD_WORD_ABS, _NET_OFF + source, "", ""),
            ("", _JSET, 0, "drop", "drop"),
        ]
    words = [int.from_bytes(host[at : at + 4], "big") for at in range(0, size, 4)]
    lines: list[_Line] = []
    for name, at, otherwise in ((f"host{size}", source, f"target{size}"), (f"target{size}", target, "drop")):
        for number, word in enumerate(words):
            last = then if number == len(words) - 1 else ""
            lines += [
                (name if not number else "", _LD_WORD_ABS, _NET_OFF + at + 4 * number, "", ""),
                ("", _JEQ, word, last, otherwise),
            ]
    return lines


def _of_port(port: int | None) -> list[_Line]:
    """Accept if one of the ports behind an IPv4 header is ``port``; fragments but the first have none."""
    if port is None:
        return [("ports", _RET, _EVERY_BYTE, "", "")]
    return [
        ("ports", _LD_HALF_ABS, _NET_OFF + 6, "", ""),
        ("", _JSET, _FRAGMENT_OFFSET, "drop", ""),
        ("", _LDX_HEADER, _NET_OFF, "", ""),
        ("", _LD_HALF_IND, _NET_OFF, "", ""),
        ("", _JEQ, port, "accept", ""),
        ("", _LD_HALF_IND, _NET_OFF + 2, "", ""),
        ("", _JEQ, port, "accept", "drop"),
    ]


def _of_port6(port: int | None) -> list[_Line]:
    if port is None:
        return [("ports6", _RET, _EVERY_BYTE, "", "")]
    return [
        ("ports6", _LD_HALF_ABS, _NET_OFF + 40, "", ""),
        ("", _JEQ, port, "accept", ""),
        ("", _LD_HALF_ABS, _NET_OFF + 42, "", ""),
        ("", _JEQ, port, "accept", "drop"),
    ]


def _assembled(lines: Sequence[_Line]) -> tuple[Instruction, ...]:
    labels = {label: at for at, (label, *_) in enumerate(lines) if label}
    return tuple(
        Instruction(
            code,
            value,
            labels[then] - at - 1 if then else 0,
            labels[otherwise] - at - 1 if otherwise else 0,
        )
        for at, (_, code, value, then, otherwise) in enumerate(lines)
    )
