"""The same attribution, fed by the packets of a capture in place of ledgers."""
