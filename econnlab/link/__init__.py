"""The link: a relay between client and server that delays, in order, and passes FIN and RST on as such."""
