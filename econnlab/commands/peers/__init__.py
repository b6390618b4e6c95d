"""``econnlab peers``: the real servers and clients that can take part in a run."""
