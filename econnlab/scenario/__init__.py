"""What to run: values only, no sockets."""
