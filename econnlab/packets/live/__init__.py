"""Packets as they pass: an AF_PACKET socket, its filter and its ring. Linux only; a process of its own."""
