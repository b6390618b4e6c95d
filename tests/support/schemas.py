"""The JSON Schemas that the rooms of the commands hold."""

import json
from pathlib import Path

import econnlab.commands


def schema(room, name="schema.json"):
    """The schema ``name`` of the room of a command."""
    return json.loads((Path(econnlab.commands.__file__).parent / room / name).read_text())
