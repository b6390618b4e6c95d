"""The machine: sockets, network devices, the clock, precise waiting, a child process's side."""
