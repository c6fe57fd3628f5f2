"""The search for settings by whole training runs."""
