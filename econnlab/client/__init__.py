"""Real HTTP clients behind one small interface, and what they can be seen doing."""
