"""The experiments: keepalive, sweep, maxconn, run, scenarios and report."""
