"""What all commands share: the entry point, options, parameters, outputs, console, progress, interrupts."""
