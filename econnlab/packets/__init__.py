"""Packets: captures in and out, and the connections in them. Pure but for ``live``."""
