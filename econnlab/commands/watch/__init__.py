"""``econnlab watch``: connections judged while they pass."""
