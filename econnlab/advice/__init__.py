"""What to do about it: products and their timeouts, and lines to paste for each remedy. Pure."""
