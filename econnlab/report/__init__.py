"""What a run looks like: on a terminal, and in one file a format under formats/."""
