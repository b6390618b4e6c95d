"""Attacks on every command, bounded in count and time: ``make attack``."""
