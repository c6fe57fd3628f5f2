"""What the loss learns from: a rollout as single samples, or as whole sequences."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class Samples(NamedTuple):
    """A rollout as the loss needs it: one column (or entry) per sample, all environments and times alike.

    Where it is cut into sequences (`in_sequences`), the last axis of every array becomes two, time and environments.
    """

    observation: Float[Array, "features *batch"]
    readout: Float[Array, "actions *batch"]
    action: Int[Array, "*batch"] | Float[Array, "actions *batch"]
    log_prob: Float[Array, "*batch"]
    value: Float[Array, "*batch"]
    advantage: Float[Array, "*batch"]
    weight: Float[Array, "*batch"] | None = None
    """1, or 0 for rows in which an environment did nothing but reset (`gymnasium_player.py`); None: all count."""


class Sequences(NamedTuple):
    """A rollout as a recurrent loss needs it: whole sequences, one per entry of each array's last axis."""

    samples: Samples
    """Cut into sequences."""
    memory: Float[Array, "memory envs"]
    """The memory at the rollout's start."""
    starts: Bool[Array, "time envs"]
    """Whether an episode starts with this step's observation (other than at time 0, where `memory` knows)."""


def in_sequences(samples: Samples, time: int, envs: int) -> Samples:
    """Samples of a rollout with their last axis cut in two, time and environments."""
    return jax.tree.map(lambda u: u.reshape(*u.shape[:-1], time, envs), samples)


def in_columns(samples: Samples) -> Samples:
    """Samples that were cut into sequences, as single ones again."""
    return jax.tree.map(lambda u: u.reshape(*u.shape[:-2], -1), samples)


def starts_of(ended: Bool[Array, "time envs"]) -> Bool[Array, "time envs"]:
    """Whether an episode starts with a step's observation: one ended with the step before."""
    return jnp.concatenate([jnp.zeros_like(ended[:1]), ended[:-1]])
