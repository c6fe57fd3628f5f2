"""The Gierer-Meinhardt equation in space: solver, linear theory, patterns, and the map of where they form."""
