"""``econnlab timeouts``: how long products keep idle connections, and whether a chain of them is safe."""
