"""Judging the visits of a probe: when the server closes, which requests are lost, what to set. Pure."""
