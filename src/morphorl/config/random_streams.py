"""Where random keys begin: a stream for each use, so that no two uses of one seed share their numbers."""

from morphorl.config import threefry as threefry  # so that whoever begins a stream draws from it as it says

LEARNER, CELL, EVALUATION, EPISODE, SEARCH, ACTING = range(6)
"""A learner's chance, a system's pattern, evaluations after training, the episodes of replays, evolution's candidates,
and the actions of a loop on the host."""
