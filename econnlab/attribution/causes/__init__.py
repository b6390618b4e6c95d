"""Causes of a failure: one file a cause.

Each has a ``NAME``, a ``HELP`` in a sentence, and ``explain(case)``, which returns a Finding where its
evidence is there and None where it is not. A rule may look at nothing but the case.
"""
