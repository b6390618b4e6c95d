"""The machine: processes, sockets, network devices, the clock, precise waiting."""
