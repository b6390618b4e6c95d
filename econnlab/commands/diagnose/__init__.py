"""``econnlab diagnose``: who sent the RST in a capture, and why."""
