"""How it runs: processes, the schedule, the dispatcher, and the record that comes of it."""
