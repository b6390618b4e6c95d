"""Real servers: one file a server, found by its name.

Each has a ``NAME``, a ``HELP``, ``INSTALL`` (what to install: npm, PyPI or Debian), ``PRODUCT`` (its name in
advice/products), ``LEDGER`` (what it says of itself), ``CANNOT`` (settings it does not have, each with the
reason), ``STEP_MS`` (its timeout is a multiple of this) and ``command(name, order)``, which finds the program
and returns the Command that starts it. ``command`` raises EnvironmentProblem if the program is not installed.
"""
