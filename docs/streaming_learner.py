"""Stream AC(λ): an actor and a critic that learn from each step once, at once, with no memory of any other.

A rival for environments that change. With s an observation, V the critic, π the policy, z a trace and κ a margin:

    δ   = r + γ V(s') − V(s)                                      without V(s') where the task ended, not where time did
    z_V ← γ λ z_V + ∇ V(s),  z_π ← γ λ z_π + ∇ (log π(a|s) + τ sign(δ) H(π(·|s)))              zero when an episode ends
    w   ← w + α δ z / max(1, α κ max(|δ|, 1) ‖z‖₁)                                                     ObGD, κ_V and κ_π

Observations are normalised by their running mean and deviation (Welford), and rewards are divided by the running
deviation of u ← γ u + r. Nine of ten weights start at zero, and the rest uniformly in ±1/√inputs. Before each
activation (leaky ReLU) is a layer norm without parameters.

Source: Elsayed, Vasan and Mahmood, "Streaming Deep Reinforcement Learning Finally Works", 2024 (arXiv 2410.14606), and
its settings as published at github.com/mohmdelsayed/streaming-drl. Three things are as in our other agents instead: two
layers of 64 units (there 128), no feature that tells the episode's time, and so a value after truncation (there none).
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

DISCOUNT, STEP_SIZE, SPARSITY = 0.99, 1.0, 0.9
"""γ, α, and the share of weights that start at zero."""


class Layer(NamedTuple):
    """A weight and a bias of each unit; also their gradients and traces."""

    weight: Float[Array, "outputs inputs"]
    bias: Float[Array, " outputs"]


Network = tuple[Layer, ...]


class Statistics(NamedTuple):
    """What is known of numbers that come one by one."""

    mean: Float[Array, "..."]
    squares: Float[Array, "..."]
    """Sum of the squared distances from the mean."""
    samples: Float[Array, ""]


class Strengths(NamedTuple):
    """Settings that one compiled program serves."""

    kappa_policy: float | Float[Array, ""]
    kappa_value: float | Float[Array, ""]
    trace_decay: float | Float[Array, ""]
    entropy: float | Float[Array, ""]


class Learner(NamedTuple):
    """What changes by learning."""

    policy: Network
    value: Network
    policy_trace: Network
    value_trace: Network


def obgd_step_size(trace: Network, error: Float[Array, ""], kappa: float | Float[Array, ""]) -> Float[Array, ""]:
    """α / max(1, α κ δ̄ ‖z‖₁), δ̄ = max(|δ|, 1): so small that the error at this step changes by 1/κ of δ̄ at most, were
    the network linear."""
    norm = sum(jnp.sum(jnp.abs(leaf)) for leaf in jax.tree.leaves(trace))
    return STEP_SIZE / jnp.maximum(1.0, STEP_SIZE * kappa * jnp.maximum(jnp.abs(error), 1.0) * norm)


def obgd(network: Network, trace: Network, error: Float[Array, ""], kappa: float | Float[Array, ""]) -> Network:
    """The network after a step of overshooting-bounded gradient descent along its trace."""
    size = obgd_step_size(trace, error, kappa) * error
    return jax.tree.map(lambda weight, along: weight + size * along, network, trace)


def decayed_trace(trace: Network, gradient: Network, decay: float | Float[Array, ""]) -> Network:
    """z ← γ λ z + ∇, with λ the decay."""
    return jax.tree.map(lambda before, now: DISCOUNT * decay * before + now, trace, gradient)


def updated(
    learner: Learner,
    strengths: Strengths,
    *,
    observation: Float[Array, " features"],
    action: Int[Array, ""],
    reward: Float[Array, ""],
    after: Float[Array, " features"],
    terminated: Bool[Array, ""],
    ended: Bool[Array, ""],
) -> Learner:
    """The learner after one step from `observation` to `after`, with a scaled reward.

    Args:
        terminated: whether nothing can be earned after it.
        ended: whether the episode is over, by that or by its time limit, so that traces begin anew.
    """
    value, value_gradient = jax.value_and_grad(lambda network: output(network, observation)[0])(learner.value)
    error = reward + DISCOUNT * jnp.where(terminated, 0.0, output(learner.value, after)[0]) - value

    def favoured(network: Network) -> Float[Array, ""]:
        log_chances = jax.nn.log_softmax(output(network, observation))
        entropy = -jnp.sum(jnp.exp(log_chances) * log_chances)
        return log_chances[action] + strengths.entropy * jnp.sign(error) * entropy

    policy_trace = decayed_trace(learner.policy_trace, jax.grad(favoured)(learner.policy), strengths.trace_decay)
    value_trace = decayed_trace(learner.value_trace, value_gradient, strengths.trace_decay)
    policy = obgd(learner.policy, policy_trace, error, strengths.kappa_policy)
    critic = obgd(learner.value, value_trace, error, strengths.kappa_value)
    kept = jax.tree.map(lambda trace: jnp.where(ended, 0.0, trace), (policy_trace, value_trace))
    return Learner(policy, critic, *kept)


def output(network: Network, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
    """What the network says of an input: each layer but the last has a layer norm and leaky ReLU."""
    for layer in network[:-1]:
        x = layer.weight @ x + layer.bias
        centred = x - jnp.mean(x)
        x = jax.nn.leaky_relu(centred * jax.lax.rsqrt(jnp.mean(centred**2) + 1e-5))
    return network[-1].weight @ x + network[-1].bias


def sparse_network(key: PRNGKeyArray, sizes: tuple[int, ...]) -> Network:
    """Layers of so many inputs and outputs, sparse at first, without biases.

    Of each unit's weights ⌈.9 · inputs⌉ are zero, as published: with fewer than ten inputs, all of a first layer's.
    """
    keys = jax.random.split(key, len(sizes) - 1)
    return tuple(_sparse_layer(*args) for args in zip(keys, sizes[:-1], sizes[1:], strict=True))


def _sparse_layer(key: PRNGKeyArray, inputs: int, outputs: int) -> Layer:
    key_weight, key_order = jax.random.split(key)
    weight = jax.random.uniform(key_weight, (outputs, inputs), minval=-1.0, maxval=1.0) / math.sqrt(inputs)
    numbers = jnp.broadcast_to(jnp.arange(inputs), (outputs, inputs))
    order = jax.random.permutation(key_order, numbers, axis=1, independent=True)
    return Layer(jnp.where(order < math.ceil(SPARSITY * inputs), 0.0, weight), jnp.zeros(outputs))


def no_samples(shape: tuple[int, ...]) -> Statistics:
    """Statistics of nothing yet."""
    return Statistics(jnp.zeros(shape), jnp.zeros(shape), jnp.array(0.0))


def with_sample(statistics: Statistics, x: Float[Array, "..."]) -> Statistics:
    """The statistics with one more sample (Welford)."""
    count = statistics.samples + 1
    mean = statistics.mean + (x - statistics.mean) / count
    return Statistics(mean, statistics.squares + (x - statistics.mean) * (x - mean), count)


def deviation(statistics: Statistics) -> Float[Array, "..."]:
    """The standard deviation of what was seen; 1 before the second sample."""
    variance = statistics.squares / jnp.maximum(statistics.samples - 1, 1.0)
    return jnp.sqrt(jnp.where(statistics.samples < 2, 1.0, variance) + 1e-8)
