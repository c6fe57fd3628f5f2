"""Which open choices of the post carry the effect of guidance."""
