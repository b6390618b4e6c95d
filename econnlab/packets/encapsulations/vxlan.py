"""VXLAN (RFC 7348): eight bytes behind UDP, then an Ethernet frame."""

from __future__ import annotations

from econnlab.packets.steps import Step, behind, frame, ip

#: 4789 is IANA's, 8472 what Linux took before; 4790 is the variant that names what it carries.
UDP_PORTS = (4789, 8472, 4790)
_VNI_VALID, _NEXT_PROTOCOL = 0x08, 0x04
_IPV4, _IPV6, _ETHERNET = 1, 2, 3


def inner(data: bytes, at: int) -> Step | None:
    """Skip the header if its I flag says that it is one."""
    if len(data) < at + 8 or not data[at] & _VNI_VALID:
        return None
    if data[at] & _NEXT_PROTOCOL and data[at + 3]:  # draft-ietf-nvo3-vxlan-gpe
        if data[at + 3] in (_IPV4, _IPV6):
            return ip(at + 8)
        return frame(at + 8) if data[at + 3] == _ETHERNET else behind(0, at + 8)
    return frame(at + 8)
