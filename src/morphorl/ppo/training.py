"""Training one run: from a fresh agent, rollout by rollout, to its curve and its last networks.

Every function here is pure and trains one run; `batch_training` trains many with `vmap`.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from morphorl.config import random_streams
from morphorl.dynamics import learned_parameters
from morphorl.dynamics.base import State
from morphorl.dynamics.guidance.base import Performance, RewardAware
from morphorl.environments.base import Environment
from morphorl.ppo import recurrent, resets, reward_scale, reward_signals, schedules, task, through_time
from morphorl.ppo.agent import Agent, init_agent, observe
from morphorl.ppo.learning import learn, optimiser, shuffle
from morphorl.ppo.losses import Networks, networks_of, prepare
from morphorl.ppo.rollout import Experience, RolloutState, begin, collect, evaluate
from morphorl.ppo.rollout_randomness import RolloutRandomness, draw
from morphorl.ppo.settings import Settings


class Curve(NamedTuple):
    """What is kept of every update; NaN where there was nothing to measure."""

    episode_return: Float[Array, " updates"]
    episodes: Int[Array, " updates"]
    greedy_return: Float[Array, " updates"]
    at_bound: Float[Array, " updates"]
    learned: dict[str, Float[Array, " updates"]] | None = None
    """The values of the learned parameters after each update, by dotted name."""


class TrainState(NamedTuple):
    """A run between two updates."""

    agent: Agent
    optimiser: optax.OptState
    rollout_state: RolloutState
    key: PRNGKeyArray
    curve: Curve
    diverged_at: Int[Array, ""]
    """Environment steps done when the loss, its gradient or what was learned was first not finite; −1 while all is
    well."""
    untrained_return: Float[Array, ""]
    """Mean return of whole episodes of the untrained agent, actions sampled; NaN where it was not measured."""
    learned_optimiser: optax.OptState | None = None
    """The optimiser's state for learned parameters of the cell, where there are some."""


def init(settings: Settings, env: Environment, seed: Int[Array, ""], cell_seed: Int[Array, ""]) -> TrainState:
    """A run before its first update. `seed` decides all of the learner's chance, `cell_seed` the cell's pattern."""
    bare, env = env, task.around(settings, env)
    key = jax.random.fold_in(jax.random.key(random_streams.LEARNER), seed)
    cell_key = jax.random.fold_in(jax.random.key(random_streams.CELL), cell_seed)
    key_agent, key_begin, key_updates = jax.random.split(key, 3)
    sizes, kinds = (env.num_features, env.num_actions), {"continuous": env.continuous, "picture": env.picture}
    agent = init_agent(settings, *sizes, key_agent, cell_key, **kinds)
    state = untrained(settings, agent, begin(settings, env, agent, key_begin, settings.ppo.num_envs), key_updates)
    key_measure = jax.random.fold_in(key_updates, settings.updates)  # which no update uses
    now, here = task.at(settings, bare, agent.performance, 0.0)
    returns = evaluate(now, here, agent, key_measure, settings.evaluation_episodes, greedy=False)
    return state._replace(untrained_return=jnp.mean(returns))


def untrained(settings: Settings, agent: Agent, rollout_state: RolloutState | None, key: PRNGKeyArray) -> TrainState:
    """A run that has learned nothing yet.

    Args:
        rollout_state: None where only the host can begin, which puts it in place.
    """
    unmeasured = jnp.full(settings.updates, jnp.nan)
    names = settings.learned.parameters
    return TrainState(
        agent=agent,
        optimiser=optimiser(settings.ppo).init(networks_of(agent)),  # pyright: ignore[reportArgumentType]
        rollout_state=rollout_state,  # pyright: ignore[reportArgumentType]
        key=key,
        curve=Curve(
            unmeasured,
            jnp.zeros(settings.updates, jnp.int32),
            unmeasured,
            unmeasured,
            dict.fromkeys(names, unmeasured) if names else None,
        ),
        diverged_at=jnp.array(-1),
        untrained_return=jnp.array(jnp.nan),
        learned_optimiser=optimiser(settings.ppo).init(agent.learned) if names else None,  # pyright: ignore[reportArgumentType]
    )


def update(settings: Settings, env: Environment, state: TrainState, index: Int[Array, ""]) -> TrainState:
    """The update number `index`: collect a rollout, learn from it, evaluate if it is time, and note the curve."""
    return observed_update(settings, env, state, index)[0]


def observed_update(
    settings: Settings, env: Environment, state: TrainState, index: Int[Array, ""]
) -> tuple[TrainState, Experience]:
    """An update, and the rollout that it learned from."""
    settings, env = task.at(settings, env, state.agent.performance, index / settings.updates)
    key_rollout, key_learn, key_evaluate = jax.random.split(jax.random.fold_in(state.key, index), 3)
    randomness = draw(settings, env, key_rollout)
    rollout_state, experience = collect(settings, env, state.agent, state.rollout_state, randomness)

    state = improve(settings, env, state, rollout_state, experience, key_learn, index, randomness)
    greedy_return = _evaluate_if_due(settings, env, state.agent, key_evaluate, index)
    offsets = state.agent.learned
    values = None if offsets is None else learned_parameters.values(settings, offsets)
    return state._replace(curve=note(state.curve, index, experience, greedy_return, values)), experience


def improve(
    settings: Settings,
    env: Environment,
    state: TrainState,
    rollout_state: RolloutState,
    experience: Experience,
    key: PRNGKeyArray,
    index: Int[Array, ""],
    randomness: RolloutRandomness | None = None,
    weight: Float[Array, "time envs"] | None = None,
) -> TrainState:
    """Learn from a rollout that leads from `state.rollout_state` to `rollout_state`.

    Args:
        randomness: the rollout's `RolloutRandomness`, which only learning through time needs.
        weight: (time, envs), 0 for rows in which an environment did nothing but reset; None if there are none.
    """
    ppo = settings.ppo
    if state.agent.returns is not None:
        before = state.rollout_state.discounted_sum
        assert before is not None, "a rollout whose rewards are scaled starts from their sums"
        ended = experience.terminated | experience.truncated
        returns, after = reward_scale.follow(state.agent.returns, before, experience.reward, ended, ppo.discount)
        rollout_state = rollout_state._replace(discounted_sum=after)
        state = state._replace(agent=dataclasses.replace(state.agent, returns=returns))
    acted = learned_parameters.effective(settings, state.agent.learned)
    samples = prepare(acted, env, state.agent, experience, rollout_state.observation)
    if weight is not None:
        samples = samples._replace(weight=weight.reshape(-1))
    offsets, learned_optimiser = state.agent.learned, state.learned_optimiser
    share = 1 - index / settings.annealing_updates if ppo.anneal else 1.0
    if offsets is not None:
        assert randomness is not None, "learning through time needs the random numbers of the rollout"
        assert learned_optimiser is not None, "what is learned has an optimiser"
        trace = through_time.trace(settings, state.agent, state.rollout_state.cells, randomness, experience, samples)
        networks = Networks(state.agent.actor, state.agent.critic)
        orders = shuffle(jax.random.fold_in(key, 1), ppo.epochs, ppo.num_envs)
        offsets, learned_optimiser = through_time.learn(
            settings, networks, state.agent.constants, offsets, learned_optimiser, trace, share, orders
        )
    if state.agent.core is not None:
        assert state.rollout_state.memory is not None, "a recurrent network's rollout starts from a memory"
        ended = experience.terminated | experience.truncated
        samples = recurrent.as_sequences(samples, state.rollout_state.memory, ended)
    networks = networks_of(state.agent)
    networks, optimiser_state, finite = learn(acted, networks, state.optimiser, samples, ppo.learning_rate * share, key)
    networks, optimiser_state = resets.reset_if_due(settings, networks, optimiser_state, key, index)
    # The last step may lead where no loss has been: nothing after it would tell of a run's last update.
    values = None if offsets is None else learned_parameters.values(settings, offsets)
    finite = finite & _all_finite((networks, values))

    seen = experience.observation.transpose(1, 0, 2).reshape(env.num_features, -1)
    agent = dataclasses.replace(
        state.agent,
        **networks._asdict(),
        statistics=observe(state.agent.statistics, seen),
        pattern=lasting_pattern(settings, state.agent, rollout_state),
        performance=followed_performance(state.agent.performance, experience, weight),
        learned=offsets,
    )
    first_failure = (state.diverged_at < 0) & ~finite
    return TrainState(
        agent=agent,
        optimiser=optimiser_state,
        rollout_state=rollout_state,
        key=state.key,
        curve=state.curve,
        diverged_at=jnp.where(first_failure, (index + 1) * ppo.batch, state.diverged_at),
        untrained_return=state.untrained_return,
        learned_optimiser=learned_optimiser,
    )


def _all_finite(tree: PyTree) -> Bool[Array, ""]:
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(array)) for array in jax.tree.leaves(tree)]))


def advance(
    settings: Settings, env: Environment, state: TrainState, start: Int[Array, ""], stop: Int[Array, ""]
) -> TrainState:
    """The updates from `start` up to, not including, `stop`."""
    return jax.lax.fori_loop(start, stop, lambda index, state: update(settings, env, state, index), state)


def train(
    settings: Settings, env: Environment, seed: int | Int[Array, ""], cell_seed: int | Int[Array, ""] | None = None
) -> TrainState:
    """Train one run from beginning to end; jit it for one compiled program.

    Example:
        >>> settings = Settings("StatelessCartPole-v1", steps=20_000)
        >>> trained = jax.jit(train, static_argnums=1)(settings, registry.make_env(settings.environment), 0)
    """
    state = init(settings, env, jnp.asarray(seed), jnp.asarray(seed if cell_seed is None else cell_seed))
    return advance(settings, env, state, jnp.asarray(0), jnp.asarray(settings.updates))


def _evaluate_if_due(
    settings: Settings, env: Environment, agent: Agent, key: PRNGKeyArray, index: Int[Array, ""]
) -> Float[Array, ""]:
    interval = settings.evaluation_interval
    if interval == 0:
        return jnp.array(jnp.nan)

    def measure():
        return jnp.mean(evaluate(settings, env, agent, key, settings.evaluation_episodes, greedy=True))

    return jax.lax.cond((index + 1) % interval == 0, measure, lambda: jnp.array(jnp.nan))


def lasting_pattern(settings: Settings, agent: Agent, rollout_state: RolloutState) -> State:
    """The pattern that evaluations start from: where patterns outlive episodes and grow by reward, one of them."""
    guidance = settings.guidance
    if rollout_state.trace_state is None or not guidance.outlives_episodes(settings.dynamics.reset):
        return agent.pattern
    selection = guidance.selection if isinstance(guidance, RewardAware) else "none"
    return guidance.kept(reward_signals.select(selection, rollout_state.cells, rollout_state.trace_state.fitness))


def followed_performance(
    performance: Performance | None, experience: Experience, weight: Float[Array, "time envs"] | None = None
) -> Performance | None:
    """What the agent knows of its performance after a rollout; None where nothing asks for it.

    Args:
        weight: 0 for rows in which an environment did nothing but reset; None if there are none.
    """
    if performance is None:
        return None
    error = experience.td_error
    surprise = None if error is None else jnp.mean(jnp.abs(error), where=None if weight is None else weight > 0)
    return schedules.follow(performance, _mean_return(experience), surprise)


def _mean_return(experience: Experience) -> Float[Array, ""]:
    """The mean over the episodes that ended; 0/0 is NaN where none did: what does not exist must not enter a mean."""
    done = experience.terminated | experience.truncated
    return jnp.sum(experience.episode_return * done) / jnp.sum(done)


def note(
    curve: Curve,
    index: Int[Array, ""],
    experience: Experience,
    greedy_return: Float[Array, ""],
    values: dict[str, Float[Array, ""]] | None = None,
) -> Curve:
    """Add an update to the curve."""
    episodes = jnp.sum(experience.terminated | experience.truncated)
    now = Curve(_mean_return(experience), episodes, greedy_return, jnp.mean(experience.at_bound), values)
    return jax.tree.map(lambda kept, value: kept.at[index].set(value), curve, now)
