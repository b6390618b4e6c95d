"""Formats in which an answer is written."""
