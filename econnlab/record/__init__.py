"""What happened: attempts, connection events and the facts of a run. Values only, no sockets."""
