"""Resets: the last layers of both networks are drawn anew from time to time, so that a network can learn again."""

import dataclasses
from typing import cast

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, PRNGKeyArray

from morphorl.ppo.losses import Networks
from morphorl.ppo.networks import ACTOR_SCALE, CRITIC_SCALE, MLP, init_mlp
from morphorl.ppo.settings import Settings


def reset_if_due(
    settings: Settings, networks: Networks, optimiser_state: optax.OptState, key: PRNGKeyArray, index: Int[Array, ""]
) -> tuple[Networks, optax.OptState]:
    """Networks and optimiser after an update: as they are, or every `ppo.reset_every` steps with fresh last layers.

    A fresh layer is drawn as at the start of a run. Adam's moments of it are 0, and its count goes on, so that the
    first steps of the layer are up to 6.6 times as long as at the start of a run. All else stays: the layers below, a
    linear path (`ppo.skip`), the deviation of continuous actions. A run's last update is followed by no reset.

    Source: Nikishin et al., "The primacy bias in deep reinforcement learning", ICML 2022, for off-policy learners.

    Args:
        key: of this update.
        index: of the update that has just learned, from 0.
    """
    ppo = settings.ppo
    if not ppo.reset_every:
        return networks, optimiser_state
    done = (index + 1) * ppo.batch
    due = (done // ppo.reset_every > (done - ppo.batch) // ppo.reset_every) & (index + 1 < settings.updates)
    clip, adam = cast(tuple[optax.OptState, optax.ScaleByAdamState], optimiser_state)
    mean, square = cast(Networks, adam.mu), cast(Networks, adam.nu)
    drawn = _drawn_anew(networks, jax.random.fold_in(key, 2))
    zeros = jax.tree.map(jnp.zeros_like, mean)
    forgotten = adam._replace(mu=_with_heads(mean, zeros), nu=_with_heads(square, zeros))
    after = _with_heads(networks, drawn), (clip, forgotten)
    return jax.tree.map(lambda new, old: jnp.where(due, new, old), after, (networks, optimiser_state))


def _drawn_anew(networks: Networks, key: PRNGKeyArray) -> Networks:
    """Networks whose last layers are fresh; of their other layers they have nothing."""
    key_actor, key_critic = jax.random.split(key)
    return Networks(_head(networks.actor, key_actor, ACTOR_SCALE), _head(networks.critic, key_critic, CRITIC_SCALE))


def _head(network: MLP, key: PRNGKeyArray, scale: float) -> MLP:
    outputs, inputs = network.weights[-1].shape
    return init_mlp(key, (inputs, outputs), scale, network.activation)


def _with_heads(networks: Networks, others: Networks) -> Networks:
    """The networks with the last layers of others."""
    actor, critic = _with_head(networks.actor, others.actor), _with_head(networks.critic, others.critic)
    return networks._replace(actor=actor, critic=critic)


def _with_head(network: MLP, other: MLP) -> MLP:
    weights, biases = (*network.weights[:-1], other.weights[-1]), (*network.biases[:-1], other.biases[-1])
    return dataclasses.replace(network, weights=weights, biases=biases)
