"""``econnlab probe``: what a server really does with an idle connection."""
