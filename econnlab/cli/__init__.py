"""The command line: parses into a Scenario, runs it, renders what came out."""
