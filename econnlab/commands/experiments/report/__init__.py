"""Runs and scenarios on a terminal."""
