"""The remedies against losses: one file each, found by its name.

Each has a ``NAME``, a ``HELP``, a ``PRICE`` in words, and ``apply(scenario)``, which returns the scenario
with the remedy in it, or None if the remedy changes nothing there. It may have ``untried(scenario)``, which
returns why the lab cannot show its effect there, or None if it can. Retry policies are remedies too; they are
in econnlab.client.policies.
"""
