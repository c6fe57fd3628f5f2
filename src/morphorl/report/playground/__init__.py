"""The playground: one page on which agent, cell, training and field can be pushed."""
