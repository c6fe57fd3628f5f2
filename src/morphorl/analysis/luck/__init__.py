"""How much of a difference between arms was the luck of seeds and patterns."""
