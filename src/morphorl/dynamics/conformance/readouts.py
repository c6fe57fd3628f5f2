"""Whether a system's readouts can change what an agent does."""

import jax
import numpy as np

from morphorl.dynamics.conformance.trial import Trial
from morphorl.dynamics.guidance.blind import Blind

STEPS = 10
"""After so many a system that tells actions apart has shown it."""


def actions_are_told_apart(trial: Trial) -> str | None:
    """Some readout differs between the actions: what is the same for all of them changes no choice."""
    if not trial.system.is_readable or trial.shape[1] < 2:
        return None
    state, readouts = trial.init(), []
    for key in jax.random.split(trial.key, STEPS):
        observation = jax.random.normal(key, trial.shape[:1])
        state = trial.step(state, observation, Blind(strength=0.1))
        readouts.append(np.asarray(trial.read(state, observation)))
    if not np.any(readouts) or not np.isfinite(readouts).all():  # silent, or told by another check
        return None
    if np.ptp(readouts, axis=1).max() > 1e-5 * np.abs(readouts).max():
        return None
    return (
        "read gives the same number for all actions, and a softmax ignores what all have in common; let the columns of "
        "the state start apart (at random), or give each action a sign of its own."
    )
