"""``econnlab link``: a bad network in front of anything that speaks TCP."""
