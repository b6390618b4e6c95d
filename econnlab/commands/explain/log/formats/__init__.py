"""Formats of access logs by name: one file each, with NAME, HELP and ``reader()``."""
