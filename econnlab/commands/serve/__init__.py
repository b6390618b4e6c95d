"""``econnlab serve``: the lab server in the foreground."""
