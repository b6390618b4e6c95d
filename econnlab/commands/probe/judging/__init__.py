"""What the visits of a probe come to: when the server closes, which requests are lost, what to set. Pure."""
