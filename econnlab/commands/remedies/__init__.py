"""``econnlab remedies``: which fix works, how well, and what it breaks."""
