"""PPO for an agent with a dynamical system: advantages, and the clipped loss."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from morphorl.dynamics.blending import blend
from morphorl.environments.base import Environment
from morphorl.ppo import distributions, recurrent, reward_scale
from morphorl.ppo.agent import Agent, network_view
from morphorl.ppo.networks import MLP
from morphorl.ppo.rollout import Experience
from morphorl.ppo.samples import Samples, Sequences
from morphorl.ppo.settings import Settings

Scalar = float | Float[Array, ""]
"""A number, or the array that it becomes inside a compiled program."""


class Networks(NamedTuple):
    """What the gradient trains."""

    actor: MLP
    critic: MLP
    core: recurrent.Core | None = None
    """A recurrent network's unit."""
    log_deviation: Float[Array, " actions"] | None = None
    """Of continuous actions."""


# --- Advantages ------------------------------------------------------------------------------------------------------


def gae(
    reward: Float[Array, "time envs"],
    value: Float[Array, "time envs"],
    next_value: Float[Array, "time envs"],
    terminated: Bool[Array, "time envs"],
    truncated: Bool[Array, "time envs"],
    discount: Scalar,
    gae_lambda: Scalar,
) -> Float[Array, "time envs"]:
    """Generalised advantage estimation, A_t = δ_t + γλ·A_{t+1} with δ_t = r_t + γ·V(s_{t+1}) − V(s_t).

    Termination has no future: its V(s_{t+1}) counts as 0. Truncation has one that was not seen: `next_value` must hold
    the value of the observation that it cut off. The recursion stops at both.

    Source: Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation", 2016.
    """
    delta = reward + discount * next_value * ~terminated - value
    carry_on = discount * gae_lambda * ~(terminated | truncated)

    def back(advantage, now):
        delta, carry_on = now
        advantage = delta + carry_on * advantage
        return advantage, advantage

    return jax.lax.scan(back, jnp.zeros_like(value[0]), (delta, carry_on), reverse=True)[1]


def truncation_values(
    critic: MLP, final: Float[Array, "time features envs"], truncated: Bool[Array, "time envs"], time_limit: int
) -> Float[Array, "time envs"]:
    """V of the observation that each truncation cut off; 0 where nothing was truncated.

    An environment is truncated at most once in `time_limit` steps, so only so many values are computed per rollout.
    """
    time, features, envs = final.shape
    slots = -(-time // time_limit)
    _, when = jax.lax.top_k(truncated.T.astype(jnp.float32), slots)
    where = (when, jnp.arange(envs)[:, None])
    columns = final.transpose(0, 2, 1)[where].reshape(-1, features).T
    values = critic(columns)[0].reshape(envs, slots)
    return jnp.zeros_like(truncated, jnp.float32).at[where].set(values * truncated[where])


def prepare(
    settings: Settings, env: Environment, agent: Agent, experience: Experience, last: Float[Array, "features envs"]
) -> Samples:
    """Turn a rollout into samples: log-probabilities, values (one batched pass of the critic) and advantages."""
    time, features, envs = experience.observation.shape
    columns = experience.observation.transpose(1, 0, 2).reshape(features, time * envs)
    view = network_view(settings, agent.statistics, jnp.concatenate([columns, last], axis=1))
    final = jax.vmap(network_view, in_axes=(None, None, 0))(settings, agent.statistics, experience.final_observation)
    seen = view
    if agent.core is not None:
        assert experience.memory is not None, "a recurrent network's rollout holds its memory"
        ended = experience.terminated | experience.truncated
        seen, final = recurrent.seen_by_heads(agent.core, experience.memory, ended, view[:, -envs:], final)
    value = agent.critic(seen)[0].reshape(time + 1, envs)
    cut_off = truncation_values(agent.critic, final, experience.truncated, env.time_limit)
    next_value = jnp.where(experience.truncated, cut_off, value[1:])
    ppo = settings.ppo
    ends = (experience.terminated, experience.truncated)
    reward = reward_scale.scaled(agent.returns, experience.reward)
    advantage = gae(reward, value[:-1], next_value, *ends, ppo.discount, ppo.gae_lambda)
    flat = [u.transpose(1, 0, 2).reshape(-1, time * envs) for u in (experience.logits, experience.readout)]
    action = experience.action.reshape(-1)
    if agent.log_deviation is not None:
        action = experience.action.transpose(1, 0, 2).reshape(-1, time * envs)
    return Samples(
        observation=view[:, :-envs],
        readout=flat[1],
        action=action,
        log_prob=distributions.of(blend(settings.blend, *flat), agent.log_deviation).log_prob(action),
        value=value[:-1].reshape(-1),
        advantage=advantage.reshape(-1),
    )


# --- Loss ------------------------------------------------------------------------------------------------------------


def ppo_loss(networks: Networks, settings: Settings, rollout: Samples | Sequences) -> Float[Array, ""]:
    """The clipped surrogate, the (clipped) value loss and the entropy bonus on one minibatch.

    With r the probability ratio, A the advantages normalised over the minibatch, V the value, R = A_gae + V_old:

        L = −E[min(r·A, clip(r, 1−ε, 1+ε)·A)] + c_v·½·E[max((V−R)², (V_clip−R)²)] − c_e·E[H] + c_d·E[CE]

    CE is the cross-entropy from the blended policy, held fixed, to the network alone (`blend.distil`).
    """
    samples = _samples_of(networks, rollout)
    ppo = settings.ppo
    logits = networks.actor(samples.observation)
    forgetful = settings.blend.update == "network"
    acted = logits if forgetful else blend(settings.blend, logits, samples.readout)
    policy = distributions.of(acted, networks.log_deviation)
    ratio = jnp.exp(policy.log_prob(samples.action) - samples.log_prob)
    mean = partial(_mean, samples.weight)
    centred = samples.advantage - mean(samples.advantage)
    advantage = centred / (jnp.sqrt(mean(centred**2)) + 1e-8)
    surrogate = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - ppo.clip, 1 + ppo.clip) * advantage)

    value = networks.critic(samples.observation)[0]
    target = samples.advantage + samples.value
    clipped = samples.value + jnp.clip(value - samples.value, -ppo.value_clip, ppo.value_clip)
    value_loss = 0.5 * mean(jnp.maximum((value - target) ** 2, (clipped - target) ** 2))

    entropy = mean(policy.entropy())
    loss = -mean(surrogate) + ppo.value_coefficient * value_loss - ppo.entropy_coefficient * entropy
    if settings.blend.kind == "none":
        return loss
    return loss + settings.blend.distil * mean(policy.cross_entropy(logits))


def _samples_of(networks: Networks, rollout: Samples | Sequences) -> Samples:
    """The samples as actor and critic see them."""
    if isinstance(rollout, Samples):
        return rollout
    assert networks.core is not None, "whole sequences are for recurrent networks"
    return recurrent.as_samples(networks.core, rollout)


def _mean(weight: Float[Array, " batch"] | None, values: Float[Array, " batch"]) -> Float[Array, ""]:
    """The mean over the samples that count."""
    if weight is None:
        return jnp.mean(values)
    return jnp.sum(jnp.where(weight > 0, values, 0.0)) / jnp.maximum(jnp.sum(weight), 1.0)


def networks_of(agent: Agent) -> Networks:
    """What of the agent the gradient trains."""
    return Networks(agent.actor, agent.critic, agent.core, agent.log_deviation)
