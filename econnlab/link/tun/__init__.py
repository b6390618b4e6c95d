"""The wire: a path that delays packets, not bytes, so that handshakes and retransmissions take part in it.

A TUN device (networking/tuntap.rst) in a network of the run's own. A client connects to the far
address; its packets come out of the device, and after the delay of their direction they go back in with
source and destination swapped, so that they come from the far address to the server that listens on the near
one. Both ends are the kernel's own.
"""
