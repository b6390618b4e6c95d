"""How a probe runs: the look, the visits and their moments, and what it says where there is none."""
