"""Tests of counts that a busy machine disturbs: what the lab was late for counts as nothing (lab_late)."""

import functools

#: A test is tried so many times in all.
TRIES = 3


def repeated_if_late(test):
    """Repeat a test of exact counts, at most twice: they leave out what the lab was late for."""

    @functools.wraps(test)
    def tried(*arguments, **named):
        for left in reversed(range(TRIES)):
            try:
                return test(*arguments, **named)
            except AssertionError:
                if not left:
                    raise
        return None

    return tried
