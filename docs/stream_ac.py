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

Usage: uv run docs/stream_ac.py ENVIRONMENT … [--seeds N] [--trace-decay …] [--entropy …] [--out FILE.parquet]
"""

import dataclasses
import functools
import itertools
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import polars as pl
import tyro
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.config import random_streams
from morphorl.config.errors import SettingError
from morphorl.environments.base import Environment, EnvState, is_host
from morphorl.environments.registry import make_env

DISCOUNT, STEP_SIZE, SPARSITY = 0.99, 1.0, 0.9
"""γ, α, and the share of weights that start at zero."""
BLOCK = 2_048
"""Environment steps of a row of the output."""
AT_ONCE = 64
"""Seeds of one program."""


@dataclasses.dataclass
class Options:
    """Train Stream AC(λ), one environment an agent and one update a step, and write the return of its episodes."""

    environments: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Ids, of environments in JAX with discrete actions. One that changes does so with the share of steps taken."""
    seeds: int = 8
    first_seed: int = 0
    steps: int = 65_536
    """Of each agent; a multiple of 2,048."""
    hidden: int = 64
    """Units of each of two layers, of the actor and of the critic."""
    kappa_policy: float = 3.0
    """κ_π: above 1, so that no step overshoots."""
    kappa_value: float = 2.0
    """κ_V."""
    trace_decay: tuple[float, ...] = (0.8,)
    """λ; one arm for each value here and of the entropy."""
    entropy: tuple[float, ...] = (0.01,)
    """τ, the weight of the entropy."""
    out: Path = Path("runs/stream_ac.parquet")
    """A row for each 2,048 steps of an agent: environment, arm, seed, env_steps (at their end), episode_return (mean of
    the episodes that ended in them, NaN if none did), episodes."""


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


class Stream(NamedTuple):
    """A training between two steps."""

    learner: Learner
    features: Statistics
    returns: Statistics
    discounted_return: Float[Array, ""]
    env_state: EnvState
    observation: Float[Array, " features"]
    """Normalised."""
    episode_return: Float[Array, ""]
    key: PRNGKeyArray


def obgd_step_size(trace: Network, error: Float[Array, ""], kappa: float | Float[Array, ""]) -> Float[Array, ""]:
    """α / max(1, α κ δ̄ ‖z‖₁), δ̄ = max(|δ|, 1): so small that the error at this step changes by 1/κ of δ̄ at most, were
    the network linear."""
    norm = sum(jnp.sum(jnp.abs(leaf)) for leaf in jax.tree.leaves(trace))
    return STEP_SIZE / jnp.maximum(1.0, STEP_SIZE * kappa * jnp.maximum(jnp.abs(error), 1.0) * norm)


def obgd(network: Network, trace: Network, error: Float[Array, ""], kappa: float | Float[Array, ""]) -> Network:
    """The network after a step of overshooting-bounded gradient descent along its trace."""
    size = obgd_step_size(trace, error, kappa) * error
    return jax.tree.map(lambda weight, along: weight + size * along, network, trace)


def followed(trace: Network, gradient: Network, decay: float | Float[Array, ""]) -> Network:
    """z ← γ λ z + ∇, with λ the decay."""
    return jax.tree.map(lambda before, now: DISCOUNT * decay * before + now, trace, gradient)


def learned(
    learner: Learner,
    strengths: Strengths,
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

    policy_trace = followed(learner.policy_trace, jax.grad(favoured)(learner.policy), strengths.trace_decay)
    value_trace = followed(learner.value_trace, value_gradient, strengths.trace_decay)
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


def unseen(shape: tuple[int, ...]) -> Statistics:
    """Statistics of nothing yet."""
    return Statistics(jnp.zeros(shape), jnp.zeros(shape), jnp.array(0.0))


def seen(statistics: Statistics, x: Float[Array, "..."]) -> Statistics:
    """The statistics with one more sample (Welford)."""
    count = statistics.samples + 1
    mean = statistics.mean + (x - statistics.mean) / count
    return Statistics(mean, statistics.squares + (x - statistics.mean) * (x - mean), count)


def deviation(statistics: Statistics) -> Float[Array, "..."]:
    """The standard deviation of what was seen; 1 before the second sample."""
    variance = statistics.squares / jnp.maximum(statistics.samples - 1, 1.0)
    return jnp.sqrt(jnp.where(statistics.samples < 2, 1.0, variance) + 1e-8)


def init(env: Environment, hidden: int, seed: Int[Array, ""]) -> Stream:
    """A training before its first step."""
    key = jax.random.fold_in(jax.random.key(random_streams.LEARNER), seed)
    key_policy, key_value, key_reset, key_steps = jax.random.split(key, 4)
    policy = sparse_network(key_policy, (env.num_features, hidden, hidden, env.num_actions))
    value = sparse_network(key_value, (env.num_features, hidden, hidden, 1))
    learner = Learner(policy, value, *jax.tree.map(jnp.zeros_like, (policy, value)))
    env_state, observation = _at(env, 0.0).reset(key_reset)
    features = seen(unseen((env.num_features,)), observation)
    first = (observation - features.mean) / deviation(features)
    return Stream(learner, features, unseen(()), jnp.array(0.0), env_state, first, jnp.array(0.0), key_steps)


def step(
    env: Environment, strengths: Strengths, stream: Stream, index: Int[Array, ""]
) -> tuple[Stream, tuple[Bool[Array, ""], Float[Array, ""]]]:
    """The training after its step number `index`; whether an episode ended in it, and the episode's return so far."""
    key_action, key_step, key_reset = jax.random.split(jax.random.fold_in(stream.key, index), 3)
    action = jax.random.categorical(key_action, output(stream.learner.policy, stream.observation))
    there = env.step(key_step, stream.env_state, action)
    ended = there.terminated | there.truncated

    # As published: the sum forgets an episode before its last reward, and so begins the next one with that.
    discounted_return = jnp.where(ended, 0.0, DISCOUNT * stream.discounted_return) + there.reward
    returns = seen(stream.returns, discounted_return)
    features = seen(stream.features, there.observation)
    after = (there.observation - features.mean) / deviation(features)
    learner = learned(
        stream.learner,
        strengths,
        stream.observation,
        action,
        there.reward / deviation(returns),
        after,
        there.terminated,
        ended,
    )

    env_state, first = env.reset(key_reset)
    with_first = seen(features, first)
    begun = (env_state, with_first, (first - with_first.mean) / deviation(with_first))
    env_state, features, observation = jax.tree.map(
        functools.partial(jnp.where, ended), begun, (there.state, features, after)
    )
    episode_return = stream.episode_return + there.reward
    kept = jnp.where(ended, 0.0, episode_return)
    after_step = Stream(learner, features, returns, discounted_return, env_state, observation, kept, stream.key)
    return after_step, (ended, episode_return)


def block(
    env: Environment, steps: int, strengths: Strengths, stream: Stream, first: Int[Array, ""]
) -> tuple[Stream, Float[Array, ""], Int[Array, ""]]:
    """The training after 2,048 steps from number `first` on, of `steps` in all; mean return and number of the episodes
    that ended in them."""

    def one(stream: Stream, index: Int[Array, ""]):
        return step(_at(env, index / steps), strengths, stream, index)

    stream, (ended, returns) = jax.lax.scan(one, stream, first + jnp.arange(BLOCK))
    return stream, jnp.mean(returns, where=ended), jnp.sum(ended)


def _at(env: Environment, progress: float | Float[Array, ""]) -> Environment:
    return env if env.at is None else env.at(progress)


def table(options: Options) -> pl.DataFrame:
    """Train every arm in every environment, a row for each block of each seed; what is done is written after each arm.

    Raises:
        SettingError: for an option that is not allowed.
    """
    check(options)
    rows = []
    for env in map(make_env, options.environments):
        run = jax.jit(jax.vmap(functools.partial(block, env, options.steps), in_axes=(None, 0, None)), donate_argnums=1)
        for decay, entropy in itertools.product(options.trace_decay, options.entropy):
            names = {"environment": env.id, "arm": f"Stream AC(λ), λ = {_short(decay)}, entropy {_short(entropy)}"}
            strengths = Strengths(options.kappa_policy, options.kappa_value, decay, entropy)
            rows += [names | row for row in _rows(env, options, functools.partial(run, strengths))]
            pl.DataFrame(rows).write_parquet(options.out)
    return pl.DataFrame(rows)


def check(options: Options) -> None:
    """Refuse what cannot be trained.

    Raises:
        SettingError: it names the option, its value and what is allowed.
    """
    for env_id in options.environments:
        if is_host(env_id) or make_env(env_id).continuous:
            raise SettingError(f"environment = {env_id!r}: must be one in JAX with discrete actions")
    if options.steps < BLOCK or options.steps % BLOCK:
        raise SettingError(f"steps = {options.steps}: must be a multiple of {BLOCK:,}, above 0")
    for decay in options.trace_decay:
        if not 0 <= decay <= 1:
            raise SettingError(f"trace_decay = {decay}: must be from 0 to 1")


def _rows(env: Environment, options: Options, run: Callable) -> list[dict[str, int | float]]:
    rows, seeds = [], range(options.first_seed, options.first_seed + options.seeds)
    for some in itertools.batched(seeds, AT_ONCE):
        streams, began = jax.jit(jax.vmap(functools.partial(init, env, options.hidden)))(jnp.array(some)), time.time()
        for done in range(BLOCK, options.steps + 1, BLOCK):
            streams, *measured = run(streams, done - BLOCK)
            for seed, mean, number in zip(some, *(column.tolist() for column in measured), strict=True):
                rows.append({"seed": seed, "env_steps": done, "episode_return": mean, "episodes": number})
            rate = done * len(some) / (time.time() - began)
            print(f"\r{env.id}: {done:,} of {options.steps:,} steps, {rate:,.0f} a second ", end="", file=sys.stderr)
        print(file=sys.stderr)
    return rows


def _short(value: float) -> str:
    return f"{value:g}".removeprefix("0") or "0"


if __name__ == "__main__":
    options = tyro.cli(Options, description=Options.__doc__)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    last = pl.col("env_steps") > pl.col("env_steps").max() - 10 * BLOCK
    summary = table(options).filter(last).group_by("environment", "arm", maintain_order=True)
    with pl.Config(tbl_rows=-1, fmt_str_lengths=80):
        print(summary.agg(pl.col("episode_return").fill_nan(None).mean().alias("mean of the last ten blocks")))
