"""The wire: a path that delays packets instead of bytes, and so also handshakes and retransmissions.

It is a TUN device (networking/tuntap.rst) in a network of the run's own. A client connects to the far
address. Its packets come out of the device; after their delay they go back in with source and destination
swapped, so that they reach the server at the near address, from the far one. Both ends are the kernel's.
"""
