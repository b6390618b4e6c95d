"""Formats in which the summary of a log is written."""
