"""econnlab: the lab that reproduces, explains and cures connection resets."""

__version__ = "0.1.0"
