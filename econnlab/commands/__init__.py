"""One room a command: its options, its run, its screen, its judging, its formats and its schema."""
