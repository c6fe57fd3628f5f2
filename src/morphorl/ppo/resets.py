"""Resets: the last layers of both networks are drawn anew from time to time, so that a network can learn again."""

import dataclasses
from typing import cast

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, PRNGKeyArray

from morphorl.ppo.losses import Networks
from morphorl.ppo.networks import ACTOR_SCALE, CRITIC_SCALE, MLP, init_mlp
from morphorl.ppo.settings import PPO


def reset_if_due(
    ppo: PPO, networks: Networks, optimiser_state: optax.OptState, key: PRNGKeyArray, index: Int[Array, ""]
) -> tuple[Networks, optax.OptState]:
    """Networks and optimiser after an update: as they are, or every `ppo.reset_every` steps with fresh last layers.

    A fresh layer is drawn as at the start of a run, and Adam has forgotten what it knew of it. The layers below stay.

    Source: Nikishin et al., "The primacy bias in deep reinforcement learning", ICML 2022, for off-policy learners.
    """
    if not ppo.reset_every:
        return networks, optimiser_state
    done = (index + 1) * ppo.batch
    due = done // ppo.reset_every > (done - ppo.batch) // ppo.reset_every
    clip, adam = cast(tuple[optax.OptState, optax.ScaleByAdamState], optimiser_state)
    mean, square = cast(Networks, adam.mu), cast(Networks, adam.nu)
    drawn = _drawn_anew(networks, jax.random.fold_in(key, 2))
    nothing = jax.tree.map(jnp.zeros_like, mean)
    forgotten = adam._replace(mu=_with_heads(mean, nothing), nu=_with_heads(square, nothing))
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
    actor, critic = (_with_head(getattr(networks, one), getattr(others, one)) for one in ("actor", "critic"))
    return networks._replace(actor=actor, critic=critic)


def _with_head(network: MLP, other: MLP) -> MLP:
    weights, biases = (*network.weights[:-1], other.weights[-1]), (*network.biases[:-1], other.biases[-1])
    return dataclasses.replace(network, weights=weights, biases=biases)
