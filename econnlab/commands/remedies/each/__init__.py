"""What can be done against losses: one file a remedy, found by its name.

Each has a ``NAME``, a ``HELP``, a ``PRICE`` in words, and ``apply(scenario)``, which gives the scenario with
the remedy in it, or None where it changes nothing there. It may have ``untried(scenario)``: why the lab can't
show what it does there, or None where it can. Retry policies are remedies as well, and are a
client's: see econnlab.client.policies.
"""
