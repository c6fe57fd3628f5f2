"""Acting: an agent in parallel environments, to collect experience or to be evaluated."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray, PyTree

from morphorl.dynamics.base import State
from morphorl.dynamics.guidance.base import RewardAware, Signal
from morphorl.environments.base import Environment, EnvState, Step
from morphorl.ppo import distributions, recurrent, reward_signals
from morphorl.ppo.agent import Agent, PolicyOutput, policy_step, shape_of, spread
from morphorl.ppo.rollout_randomness import RolloutRandomness, draw_noise, draw_pattern
from morphorl.ppo.settings import Settings

Action = Int[Array, " envs"] | Float[Array, "actions envs"]
"""Whole numbers, or one real number for each dimension of continuous actions."""
ENV_AXES = Step(state=0, observation=-1, reward=0, terminated=0, truncated=0)  # pyright: ignore[reportArgumentType]


class RolloutState(NamedTuple):
    """Where the parallel environments stand: what the next step starts from."""

    env_state: EnvState
    observation: Float[Array, "features envs"]
    cells: State
    episode_return: Float[Array, " envs"]
    memory: Float[Array, "memory envs"] | None = None
    """What a recurrent network remembers; nothing for plain networks."""
    trace_state: reward_signals.TraceState | None = None
    """What reward-aware guidance remembers of the step before (`reward_signals.TraceState`)."""
    discounted_sum: Float[Array, " envs"] | None = None
    """Of the episode's rewards so far, where they are scaled (`reward_scale.py`)."""


class Experience(NamedTuple):
    """A rollout; the leading axis of every array is time.

    `observation` is what the action answered, `final_observation` what the action led to, before any reset. `readout`
    and `logits` are what was acted on: the update recomputes nothing of the cell (but see `through_time.py`).
    """

    observation: Float[Array, "time features envs"]
    final_observation: Float[Array, "time features envs"]
    logits: Float[Array, "time actions envs"]
    readout: Float[Array, "time actions envs"]
    action: Int[Array, "time envs"] | Float[Array, "time actions envs"]
    reward: Float[Array, "time envs"]
    terminated: Bool[Array, "time envs"]
    truncated: Bool[Array, "time envs"]
    episode_return: Float[Array, "time envs"]
    at_bound: Float[Array, " time"]
    memory: Float[Array, "time memory envs"] | None = None
    """A recurrent network's memory, each observation included."""
    td_error: Float[Array, "time envs"] | None = None
    """The δ that guidance was told, of the step before each."""


def begin(settings: Settings, env: Environment, agent: Agent, key: PRNGKeyArray, envs: int) -> RolloutState:
    """Reset `envs` parallel environments, and give each a copy of the agent's pattern."""
    keys = jax.random.split(key, envs)
    state, observation = jax.vmap(env.reset, out_axes=(0, -1))(keys)
    memory = None if agent.core is None else jnp.zeros((agent.core.hidden_size, envs))
    trace_state = reward_signals.begin(settings, env.num_features, env.num_actions, envs)
    sums = jnp.zeros(envs) if settings.ppo.normalise_rewards else None
    return RolloutState(state, observation, spread(agent.pattern, envs), jnp.zeros(envs), memory, trace_state, sums)


class Known(NamedTuple):
    """What guidance that knows the reward may know at a step, and what the next step will need of it."""

    signal: Signal
    td_error: Float[Array, " envs"]
    value: Float[Array, " envs"]
    weights: Float[Array, " envs"] | None
    """How much each environment counts where systems exchange their states; None: all the same."""


class Acted(NamedTuple):
    """One step of an agent in parallel environments, before anything is reset."""

    cells: State
    output: PolicyOutput
    action: Action
    after: Step


def act(
    settings: Settings,
    env: Environment,
    agent: Agent,
    rollout_state: RolloutState,
    noise: PyTree,
    drawn: Float[Array, "actions envs"] | float,
    step_keys: Key[Array, " envs"],
    known: Known | None = None,
) -> Acted:
    """One step in environments that the program itself steps: the policy, its action, and where that leads.

    Training, evaluation and replay differ in where the random numbers come from and in what they keep, and in nothing
    else. `decide` is this step's first half for environments that only the host can step.

    Args:
        noise: of the dynamics.
        drawn: what the action is sampled by (`distributions.draw`); 0 for the most probable one.
        known: what guidance that knows the reward may know.
    """
    signal, weights = (None, None) if known is None else (known.signal, known.weights)
    now = (rollout_state.cells, rollout_state.observation, rollout_state.memory, noise)
    cells, output = policy_step(settings, agent, *now, signal, weights)
    action = distributions.sample(output.blended, agent.log_deviation, drawn)
    after = jax.vmap(env.step, in_axes=(0, 0, -1), out_axes=ENV_AXES)(step_keys, rollout_state.env_state, action)
    return Acted(cells, output, action, after)


def decide(
    settings: Settings,
    agent: Agent,
    cells: State,
    observation: Float[Array, "features envs"],
    memory: Float[Array, "memory envs"] | None,
    key: PRNGKeyArray,
    greedy: bool | Bool[Array, ""],
    known: Known | None = None,
) -> tuple[State, PolicyOutput, Action]:
    """One step of the policy beside environments that the host steps: the new cells, the logits, and the action.

    The noise of a step is drawn in it, since the host knows no rollout beforehand.

    Args:
        known: what guidance that knows the reward may know.
    """
    key_action, key_noise = jax.random.split(key)
    features, envs = observation.shape
    shape = shape_of(settings, features, agent.actor.biases[-1].size)
    noise = settings.dynamics.noise(key_noise, shape, (envs,))
    signal, weights = (None, None) if known is None else (known.signal, known.weights)
    cells, output = policy_step(settings, agent, cells, observation, memory, noise, signal, weights)
    drawn = distributions.draw(key_action, output.blended.shape, continuous=agent.log_deviation is not None)
    drawn = jnp.where(greedy, 0.0, drawn)
    return cells, output, distributions.sample(output.blended, agent.log_deviation, drawn)


def collect(
    settings: Settings, env: Environment, agent: Agent, rollout_state: RolloutState, randomness: RolloutRandomness
) -> tuple[RolloutState, Experience]:
    """Act for one rollout in every parallel environment; episodes that end are followed by fresh ones."""

    def step(rollout_state: RolloutState, randomness: RolloutRandomness) -> tuple[RolloutState, Experience]:
        known = known_now(settings, agent, rollout_state)
        drawn = (randomness.noise, randomness.action, randomness.step_key)
        cells, output, action, after = act(settings, env, agent, rollout_state, *drawn, known)
        done = after.terminated | after.truncated
        episode_return = rollout_state.episode_return + after.reward
        experience = Experience(
            observation=rollout_state.observation,
            final_observation=after.observation,
            logits=output.logits,
            readout=output.readout,
            action=action,
            reward=after.reward,
            terminated=after.terminated,
            truncated=after.truncated,
            episode_return=episode_return,
            at_bound=diagnosis(settings, cells),
            memory=output.memory,
            td_error=None if known is None else known.td_error,
        )
        trace_state = rollout_state.trace_state
        if trace_state is not None and known is not None:
            step_taken = (output, action, after.reward, after.terminated, after.truncated, episode_return)
            trace_state = reward_signals.remember(
                settings, agent, trace_state, rollout_state.observation, known.value, *step_taken
            )
        rollout_state = rollout_state._replace(
            env_state=jax.vmap(_choose)(done, randomness.env_state, after.state),
            observation=jnp.where(done[None], randomness.observation, after.observation),
            cells=_reset_cells(settings, agent, randomness, done, cells, episode_return),
            episode_return=jnp.where(done, 0.0, episode_return),
            memory=None if output.memory is None else recurrent.forget(output.memory, done),
            trace_state=trace_state,
        )
        return rollout_state, experience

    return jax.lax.scan(step, rollout_state, randomness)


def evaluate(
    settings: Settings, env: Environment, agent: Agent, key: PRNGKeyArray, episodes: int, *, greedy: bool
) -> Float[Array, " episodes"]:
    """The returns of `episodes` whole episodes, each in an environment of its own.

    `greedy` takes the most probable action, otherwise actions are sampled as in training. Patterns are drawn and
    redrawn as there.
    """
    key_begin, key_pattern, key_steps = jax.random.split(key, 3)
    rollout_state = begin(settings, env, agent, key_begin, episodes)
    if settings.dynamics.reset == "redraw" and not settings.guidance.decides:
        keys = jax.random.split(key_pattern, episodes)
        rollout_state = rollout_state._replace(
            cells=jax.vmap(lambda k: draw_pattern(settings, env, k), out_axes=-1)(keys)
        )

    def running(carry):
        return jnp.any(carry[2])

    def step(carry):
        time, rollout_state, alive = carry
        key_now = jax.random.fold_in(key_steps, time)
        key_step, key_action, key_noise = jax.random.split(key_now, 3)
        noise = draw_noise(settings, env, key_noise, (episodes,))
        shape = (env.num_actions, episodes)
        drawn = 0.0 if greedy else distributions.draw(key_action, shape, continuous=env.continuous)
        keys = jax.random.split(key_step, episodes)
        cells, output, _, after = act(settings, env, agent, rollout_state, noise, drawn, keys)
        episode_return = rollout_state.episode_return + alive * after.reward
        alive = alive & ~(after.terminated | after.truncated)
        rollout_state = rollout_state._replace(
            env_state=after.state,
            observation=after.observation,
            cells=_redraw_cells(settings, env, jax.random.fold_in(key_now, 3), cells, episodes),
            episode_return=episode_return,
            memory=output.memory,
        )
        return time + 1, rollout_state, alive

    return jax.lax.while_loop(running, step, (0, rollout_state, jnp.ones(episodes, bool)))[1].episode_return


def known_now(settings: Settings, agent: Agent, rollout_state: RolloutState) -> Known | None:
    """What guidance that knows the reward may know at this step; nothing for any other."""
    if rollout_state.trace_state is None:
        return None
    told = reward_signals.td_signal(settings, agent, rollout_state.trace_state, rollout_state.observation)
    guidance = settings.guidance
    by_returns = isinstance(guidance, RewardAware) and guidance.exchange == "returns"
    return Known(*told, reward_signals.weights(rollout_state.trace_state.fitness) if by_returns else None)


def diagnosis(settings: Settings, states: State) -> Float[Array, ""]:
    """What the dynamics say of themselves; 0 where they do not act."""
    return jnp.zeros(()) if settings.blend.kind == "none" else settings.dynamics.diagnose(states)


def _reset_cells(
    settings: Settings,
    agent: Agent,
    randomness: RolloutRandomness,
    done: Bool[Array, " envs"],
    cells: State,
    episode_return: Float[Array, " envs"],
) -> State:
    """Cells at the start of the next step: reset as `dynamics.reset` says where an episode has just ended, and redrawn
    by chance within one as `dynamics.redraw` says.

    Args:
        randomness: of this step alone.
    """
    if settings.blend.kind == "none" or settings.dynamics.reset == "never":
        return cells
    if settings.guidance.decides:
        assert agent.performance is not None, "guidance that knows the reward follows the agent's performance"
        told = (done, episode_return, agent.performance, settings.dynamics.bounded)
        return settings.guidance.at_end(cells, randomness.pattern, *told)
    if randomness.redrawn is None:
        return chosen(done, jax.tree.map(lambda u: u[..., None], agent.pattern), cells)
    return chosen(done | randomness.redrawn, randomness.pattern, cells)


def _redraw_cells(settings: Settings, env: Environment, key: PRNGKeyArray, cells: State, envs: int) -> State:
    """Cells after a step of an evaluation, whose episodes are not followed by others: redrawn by chance."""
    if settings.blend.kind == "none" or settings.dynamics.reset != "redraw" or settings.guidance.decides:
        return cells
    key_which, key_pattern = jax.random.split(key)
    redrawn = jax.random.uniform(key_which, (envs,)) < settings.dynamics.redraw
    keys = jax.random.split(key_pattern, envs)
    return chosen(redrawn, jax.vmap(lambda k: draw_pattern(settings, env, k), out_axes=-1)(keys), cells)


def chosen(where: Bool[Array, " envs"], there: PyTree, elsewhere: PyTree) -> PyTree:
    """In parallel environments, the last axis of every array: one tree where `where` says so, and else the other."""
    return jax.tree.map(lambda one, other: jnp.where(where[(None,) * (other.ndim - 1)], one, other), there, elsewhere)


def _choose(condition: Bool[Array, ""], if_true: EnvState, if_false: EnvState) -> EnvState:
    return jax.tree.map(lambda x, y: jnp.where(condition, x, y), if_true, if_false)
