"""Why: the cause of each failure with its evidence, and statistics. Pure: values in, values out."""
