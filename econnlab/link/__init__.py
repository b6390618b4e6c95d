"""The link: a relay between client and server. It delays in order, and passes on FIN and RST as such."""
