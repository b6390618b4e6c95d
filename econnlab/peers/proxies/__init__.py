"""Reverse proxies: one file a proxy, found by its name.

Each has a ``NAME``, a ``HELP``, ``PROGRAM`` and ``PACKAGE`` (what to look for, what to install), and
``command(program, proxying)``, which writes what it needs into a folder and gives the words that start it.
"""
