"""The causes that have a column in the interval table, in the order of their columns.

The file of a cause that runs can have carries its ``COLUMN``; causes of captures alone have none. A new cause
takes the next number, and its column comes last in the table, so that no script that reads columns breaks.
"""

from econnlab.attribution.order import CAUSES
from econnlab.discovery import parts

#: These columns stood in the first version of the table, before other columns.
FIRST = 23


def cause_columns() -> list[str]:
    """The causes that have a column, by their numbers."""
    numbered = {name: rule.COLUMN for name, rule in parts(CAUSES).items() if hasattr(rule, "COLUMN")}
    return sorted(numbered, key=numbered.__getitem__)
