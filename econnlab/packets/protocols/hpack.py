"""The status in an HPACK header block (RFC 7541): it is the first field of every response."""

from __future__ import annotations

#: Appendix A: indices 8 to 14 are statuses.
_STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
#: Appendix B: digits have codes of five bits (0 to 2) or six (3 to 9, from 0b011001 on).
_FIVE_BITS, _FIRST_OF_SIX = 3, 0b011001


def status_of(block: bytes) -> int:
    """The status; 0 if it stands in the table that earlier fields have built, which is not kept."""
    if not block:
        return 0
    first = block[0]
    if first & 0x80:
        return _STATUS.get(first & 0x7F, 0)
    if first & 0x40:
        index = first & 0x3F
    elif first & 0x20:
        return status_of(block[1:]) if first != 0x3F else 0  # a change of the table's size
    else:
        index = first & 0x0F
    if index not in _STATUS or len(block) < 2:
        return 0
    size, coded = block[1] & 0x7F, bool(block[1] & 0x80)
    value = block[2 : 2 + size]
    digits = _decoded(value) if coded else value.decode("latin-1")
    return int(digits) if len(digits) == 3 and digits.isascii() and digits.isdigit() else 0


def _decoded(value: bytes) -> str:
    """Digits in Huffman code; empty if there is anything else."""
    bits = "".join(f"{byte:08b}" for byte in value)
    digits, at = "", 0
    while len(bits) - at >= 5 and len(digits) < 3:
        five = int(bits[at : at + 5], 2)
        if five < _FIVE_BITS:
            digits, at = digits + str(five), at + 5
            continue
        digit = int(bits[at : at + 6], 2) - _FIRST_OF_SIX + _FIVE_BITS if len(bits) - at >= 6 else -1
        if not _FIVE_BITS <= digit <= 9:
            return ""
        digits, at = digits + str(digit), at + 6
    return digits
