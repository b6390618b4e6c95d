"""A client that writes when it is told to, to a tenth of a millisecond, and sees what comes back."""
