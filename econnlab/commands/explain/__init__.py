"""``econnlab explain``: what an error message means on the wire, and what causes it."""
