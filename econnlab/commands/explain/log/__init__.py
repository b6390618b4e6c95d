"""``explain --log``: every failure in a log, grouped, counted, over time."""
