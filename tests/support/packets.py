"""IPv4 packets with TCP in them, whole and with valid checksums."""

import struct


def ones_sum(data):
    """RFC 1071: 0xFFFF over data whose checksum is in it and right."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo_header(packet, header):
    return packet[12:20] + struct.pack("!HH", 6, len(packet) - header)


def packet_of(
    source, target, source_port, target_port, sequence, flags, payload, ip_options=b"", options=b""
):
    offset = (5 + len(options) // 4) << 4
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, sequence, 7, offset, flags, 512, 0, 0)
    tcp += options + payload
    header = 20 + len(ip_options)
    fixed = struct.pack("!BBHHHBBH", 0x40 | header // 4, 0, header + len(tcp), 1, 0x4000, 64, 6, 0)
    ip = fixed + source + target + ip_options
    ip = ip[:10] + struct.pack("!H", 0xFFFF - ones_sum(ip)) + ip[12:]
    checksum = 0xFFFF - ones_sum(pseudo_header(ip + tcp, header) + tcp)
    return ip + tcp[:16] + struct.pack("!H", checksum) + tcp[18:]
