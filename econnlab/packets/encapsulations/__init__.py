"""Headers that may stand between the link and IP, or between two IP headers: one file each.

A file names what leads to it (``ETHERTYPES``, ``IP_PROTOCOLS`` or ``UDP_PORTS``) and has ``inner(data, at)``,
which returns where the next header begins, or None if it cannot be read.
"""
