"""Trains Stream AC(λ), a rival for environments that change (docs/streaming_learner.py has its equations).

One environment an agent, and one update a step.

Usage: uv run docs/stream_ac.py ENVIRONMENT … [--seeds N] [--trace-decay …] [--entropy …] [--out FILE.parquet]
"""

import dataclasses
import functools
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import tyro
from gymnasium.vector import AutoresetMode, VectorEnv
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray
from recovery import BLOCK
from streaming_learner import (
    DISCOUNT,
    Learner,
    Statistics,
    Strengths,
    deviation,
    no_samples,
    output,
    sparse_network,
    updated,
    with_sample,
)

from morphorl.config import random_streams
from morphorl.config.errors import SettingError
from morphorl.environments import gymnasium_envs
from morphorl.environments.base import Environment, EnvState, Step, is_host
from morphorl.environments.registry import make_env

AT_ONCE = 64
"""Seeds of one program."""

Seeds = tuple[int, ...]
Blocks = Iterator[tuple[Float[np.ndarray, " seeds"], Int[np.ndarray, " seeds"]]]
"""Mean return (NaN if no episode ended) and number of episodes, block by block."""


@dataclasses.dataclass
class Options:
    """Train Stream AC(λ), one environment an agent and one update a step, and write the return of its episodes."""

    environments: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Ids, of environments with discrete actions. One that changes does so with the share of steps taken."""
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


def init(env: Environment, hidden: int, seed: Int[Array, ""]) -> Stream:
    """A training before its first step."""
    key = jax.random.fold_in(jax.random.key(random_streams.LEARNER), seed)
    *keys, key_reset, key_steps = jax.random.split(key, 4)
    return begun(env, hidden, keys, key_steps, *_at(env, 0.0).reset(key_reset))


def begun(
    env: Environment,
    hidden: int,
    keys: list[PRNGKeyArray],
    key_steps: PRNGKeyArray,
    env_state: EnvState,
    observation: Float[Array, " features"],
) -> Stream:
    """A training that has seen its first observation.

    Args:
        keys: of the policy and of the value.
    """
    policy = sparse_network(keys[0], (env.num_features, hidden, hidden, env.num_actions))
    value = sparse_network(keys[1], (env.num_features, hidden, hidden, 1))
    learner = Learner(policy, value, *jax.tree.map(jnp.zeros_like, (policy, value)))
    features = with_sample(no_samples((env.num_features,)), observation)
    first = (observation - features.mean) / deviation(features)
    return Stream(learner, features, no_samples(()), jnp.array(0.0), env_state, first, jnp.array(0.0), key_steps)


def step(
    env: Environment, strengths: Strengths, stream: Stream, index: Int[Array, ""]
) -> tuple[Stream, tuple[Bool[Array, ""], Float[Array, ""]]]:
    """The training after its step number `index`; whether an episode ended in it, and the episode's return so far."""
    key_action, key_step, key_reset = jax.random.split(jax.random.fold_in(stream.key, index), 3)
    action = act(stream, key_action)
    there = env.step(key_step, stream.env_state, action)
    return learn(strengths, stream, action, there, *env.reset(key_reset))


def act(stream: Stream, key: PRNGKeyArray) -> Int[Array, ""]:
    """An action, drawn by the policy."""
    return jax.random.categorical(key, output(stream.learner.policy, stream.observation))


def learn(
    strengths: Strengths,
    stream: Stream,
    action: Int[Array, ""],
    there: Step,
    fresh: EnvState,
    first: Float[Array, " features"],
) -> tuple[Stream, tuple[Bool[Array, ""], Float[Array, ""]]]:
    """The training after an action that led `there`; whether an episode ended, and the episode's return so far.

    Args:
        fresh, first: state and observation at the start of the episode that begins if this one has ended.
    """
    ended = there.terminated | there.truncated

    # As published: the sum forgets an episode before its last reward, and so begins the next one with that.
    discounted_return = jnp.where(ended, 0.0, DISCOUNT * stream.discounted_return) + there.reward
    returns = with_sample(stream.returns, discounted_return)
    features = with_sample(stream.features, there.observation)
    after = (there.observation - features.mean) / deviation(features)
    learner = updated(
        stream.learner,
        strengths,
        observation=stream.observation,
        action=action,
        reward=there.reward / deviation(returns),
        after=after,
        terminated=there.terminated,
        ended=ended,
    )

    with_first = with_sample(features, first)
    anew = (fresh, with_first, (first - with_first.mean) / deviation(with_first))
    env_state, features, observation = jax.tree.map(
        functools.partial(jnp.where, ended), anew, (there.state, features, after)
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


def blocks_in_program(env: Environment, options: Options, strengths: Strengths, seeds: Seeds) -> Blocks:
    """All seeds at once in one compiled program: of each 2,048 steps the mean return and the number of the episodes
    that ended in them."""
    streams = jax.jit(jax.vmap(functools.partial(init, env, options.hidden)))(jnp.array(seeds))
    for first in range(0, options.steps, BLOCK):
        streams, *measured = program(env, options.steps)(strengths, streams, first)
        mean, number = map(np.asarray, measured)
        yield mean, number


@functools.cache
def program(env: Environment, steps: int) -> Callable[[Strengths, Stream, int], tuple[Stream, Array, Array]]:
    """A block for all agents, which all arms share."""
    return jax.jit(jax.vmap(functools.partial(block, env, steps), in_axes=(None, 0, None)), donate_argnums=1)


def blocks_on_host(env: Environment, options: Options, strengths: Strengths, seeds: Seeds) -> Blocks:
    """The same where only the host can step: one of Gymnasium's environments for each seed."""
    with closing(gymnasium_envs.vector(env.id, len(seeds), AutoresetMode.SAME_STEP)) as envs:
        yield from _blocks_of(envs, env, options, strengths, seeds)


def _blocks_of(envs: VectorEnv, env: Environment, options: Options, strengths: Strengths, seeds: Seeds) -> Blocks:
    first, _ = envs.reset(seed=[int(np.random.SeedSequence([seed, 0]).generate_state(1)[0]) for seed in seeds])

    def start(seed, observation):
        key = jax.random.fold_in(jax.random.key(random_streams.LEARNER), seed)
        *keys, key_steps = jax.random.split(key, 3)
        return begun(env, options.hidden, keys, key_steps, None, observation)

    streams = jax.jit(jax.vmap(start))(jnp.array(seeds), jnp.asarray(first, jnp.float32))
    for begin in range(0, options.steps, BLOCK):
        ends = []
        for index in range(begin, begin + BLOCK):
            streams, end = host_step(envs, strengths, streams, index)
            ends.append(end)
        ended, returns = (np.stack(values) for values in zip(*ends, strict=True))
        number = ended.sum(axis=0)
        yield np.where(number > 0, (returns * ended).sum(axis=0) / np.maximum(number, 1), np.nan), number


def host_step(
    envs: VectorEnv, strengths: Strengths, streams: Stream, index: int
) -> tuple[Stream, tuple[Bool[Array, " seeds"], Float[Array, " seeds"]]]:
    """`step` for all seeds, in environments that reset themselves in the step that ends an episode."""
    actions = acting(streams, index)
    observation, reward, terminated, truncated, info = envs.step(np.asarray(actions))
    reached = np.array(observation, np.float32)
    for i in np.flatnonzero(terminated | truncated):
        reached[i] = info["final_obs"][i]
    there = Step(None, reached, np.float32(reward), terminated, truncated)
    return learning(strengths, streams, actions, there, None, np.asarray(observation, np.float32))


acting = jax.jit(jax.vmap(lambda stream, index: act(stream, jax.random.fold_in(stream.key, index)), (0, None)))
learning = jax.jit(jax.vmap(learn, (None, 0, 0, 0, None, 0)), donate_argnums=1)
"""`act` and `learn` for all seeds at once."""


def table(options: Options) -> pl.DataFrame:
    """Train every arm in every environment, a row for each block of a seed; what is done is written after each arm."""
    rows = []
    for env in map(make_env, options.environments):
        for decay, entropy in itertools.product(options.trace_decay, options.entropy):
            names = {"environment": env.id, "arm": f"Stream AC(λ), λ = {_short(decay)}, entropy {_short(entropy)}"}
            strengths = Strengths(options.kappa_policy, options.kappa_value, decay, entropy)
            rows += [names | row for row in _rows(env, options, strengths)]
            pl.DataFrame(rows).write_parquet(options.out)
    return pl.DataFrame(rows)


def check(options: Options) -> None:
    """Refuse what cannot be trained.

    Raises:
        SettingError: it names the option, its value and what is allowed.
    """
    for env_id in options.environments:
        if make_env(env_id).continuous:
            raise SettingError(f"environment = {env_id!r}: must be one with discrete actions.")
    if options.steps < BLOCK or options.steps % BLOCK:
        raise SettingError(f"steps = {options.steps}: must be a multiple of {BLOCK:,}, above 0.")
    for name in ("seeds", "hidden", "kappa_policy", "kappa_value"):
        if getattr(options, name) <= 0:
            raise SettingError(f"{name} = {getattr(options, name)}: must be above 0.")
    for decay in options.trace_decay:
        if not 0 <= decay <= 1:
            raise SettingError(f"trace_decay = {decay}: must be from 0 to 1.")


def _rows(env: Environment, options: Options, strengths: Strengths) -> list[dict[str, int | float]]:
    """The rows of all seeds of an arm in an environment."""
    rows, seeds = [], range(options.first_seed, options.first_seed + options.seeds)
    blocks = blocks_on_host if is_host(env.id) else blocks_in_program
    for batch in itertools.batched(seeds, AT_ONCE):
        began, done = time.time(), 0
        for mean, number in blocks(env, options, strengths, batch):
            done += BLOCK
            for seed, one, episodes in zip(batch, mean.tolist(), number.tolist(), strict=True):
                rows.append({"seed": seed, "env_steps": done, "episode_return": one, "episodes": episodes})
            rate = done * len(batch) / (time.time() - began)
            print(f"\r{env.id}: {done:,} of {options.steps:,} steps, {rate:,.0f} a second ", end="", file=sys.stderr)
        print(file=sys.stderr)
    return rows


def _short(value: float) -> str:
    return f"{value:g}".removeprefix("0") or "0"


def main(options: Options) -> None:
    """Check, train, write, and print how each arm ends."""
    check(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    last = pl.col("env_steps") > pl.col("env_steps").max() - 10 * BLOCK
    summary = table(options).filter(last).group_by("environment", "arm", maintain_order=True)
    with pl.Config(tbl_rows=-1, fmt_str_lengths=80):
        print(summary.agg(pl.col("episode_return").fill_nan(None).mean().alias("mean of the last ten blocks")))


if __name__ == "__main__":
    try:
        main(tyro.cli(Options, description=Options.__doc__))
    except SettingError as error:
        sys.exit(f"error: {error}")
