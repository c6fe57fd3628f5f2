"""A recurrent network for PPO: a recurrent unit under both heads, trained through time.

With `ppo.network = "gru"` the first hidden layer is a gated recurrent unit (GRU), with "lru" a linear one, shared by
policy and value network, whose memory starts every episode at 0. The update unrolls whole rollouts from the memory that
they began with, and its gradient flows back through all of their steps, as far as the episode reaches. Minibatches are
made of environments, not of single steps, since a step alone has no past.

Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; rollouts unrolled from stored
states after Kapturowski et al., "Recurrent experience replay in distributed reinforcement learning", 2019.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from morphorl.ppo.linear_recurrent_unit import LinearRecurrentUnit
from morphorl.ppo.samples import Samples, Sequences, in_columns, in_sequences, starts_of

Core = eqx.nn.GRUCell | LinearRecurrentUnit
"""A recurrent unit: called with an observation and a memory of `hidden_size` numbers, it gives the next memory."""
UNITS: dict[str, Callable[..., Core]] = {"gru": eqx.nn.GRUCell, "lru": LinearRecurrentUnit}
"""The units by the names that `ppo.network` gives them."""


def init(network: str, key: PRNGKeyArray, features: int, width: int) -> Core:
    """A fresh unit of `width` memories."""
    return UNITS[network](features, width, key=key)


def step(
    core: Core, memory: Float[Array, "memory envs"], x: Float[Array, "features envs"]
) -> Float[Array, "memory envs"]:
    """The memories of parallel environments after one more observation; they are also what the heads see."""
    return jax.vmap(core, in_axes=-1, out_axes=-1)(x, memory)


def forget(memory: Float[Array, "memory envs"], ended: Bool[Array, " envs"]) -> Float[Array, "memory envs"]:
    """The memory before the next observation: 0 where an episode has just ended."""
    return jnp.where(ended[None], 0.0, memory)


def unroll(
    core: Core,
    memory: Float[Array, "memory envs"],
    x: Float[Array, "time features envs"],
    starts: Bool[Array, "time envs"],
) -> Float[Array, "time memory envs"]:
    """The memory after each observation of a rollout, from the memory before the first."""

    def advance(memory, now):
        x, start = now
        memory = step(core, forget(memory, start), x)
        return memory, memory

    return jax.lax.scan(advance, memory, (x, starts))[1]


def seen_by_heads(
    core: Core,
    memory: Float[Array, "time memory envs"],
    ended: Bool[Array, "time envs"],
    last: Float[Array, "features envs"],
    final: Float[Array, "time features envs"],
) -> tuple[Float[Array, "memory batch"], Float[Array, "time memory envs"]]:
    """What the value head must see to judge a rollout whose memories after each observation are `memory`.

    Returns:
        Columns for all observations and the one after the last, and the memory after each observation that an action
        led to: the value of an observation that a truncation cut off needs the state after that step.
    """
    after_last = step(core, forget(memory[-1], ended[-1]), last)
    after_final = jax.vmap(step, in_axes=(None, 0, 0))(core, memory, final)
    return _columns(jnp.concatenate([memory, after_last[None]])), after_final


def as_sequences(samples: Samples, memory: Float[Array, "memory envs"], ended: Bool[Array, "time envs"]) -> Sequences:
    """Samples of a rollout, whose episodes ended where `ended` says, cut into one sequence per environment."""
    return Sequences(in_sequences(samples, *ended.shape), memory, starts_of(ended))


def as_samples(core: Core, sequences: Sequences) -> Samples:
    """Samples as the heads see them: the memories of a unit unrolled over the sequences, in place of observations."""
    x = sequences.samples.observation.transpose(1, 0, 2)
    memory = unroll(core, sequences.memory, x, sequences.starts)
    return in_columns(sequences.samples)._replace(observation=_columns(memory))


def _columns(u: Float[Array, "time rows envs"]) -> Float[Array, "rows batch"]:
    return u.transpose(1, 0, 2).reshape(u.shape[1], -1)
