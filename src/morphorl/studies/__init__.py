"""Studies: which runs there are, how they are batched, trained and kept."""
