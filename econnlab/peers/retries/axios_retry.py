"""axios-retry, around axios."""

NAME = "axios-retry"
HELP = "axios-retry itself, with --client axios"
INSTALL = "npm:axios-retry"
