"""The lab server, a process of its own: ``python -m econnlab.server``."""
