"""Real servers and proxies that are not ours: how to find, start, point and stop each."""
