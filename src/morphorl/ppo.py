"""PPO for an agent with a cell: advantages, the clipped loss, one update, and the training of one run.

Every function here is pure and trains one run; `engines` trains many with `vmap`.
"""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl import distribution, learned, performance, recurrent, signals, task, through_time
from morphorl.agent import Agent, init_agent, network_view, observe
from morphorl.blend import blend
from morphorl.envs import Environment
from morphorl.networks import MLP
from morphorl.recurrent import Sequences
from morphorl.rollout import Acting, Experience, begin, collect, draw, evaluate
from morphorl.settings import PPO, Settings

LEARNER_STREAM, CELL_STREAM = 0, 1

Scalar = float | Float[Array, ""]
"""A number, or the array that it becomes inside a compiled program."""


class Networks(NamedTuple):
    """What the gradient trains."""

    actor: MLP
    critic: MLP
    core: Any = None
    """A recurrent network's unit (`eqx.nn.GRUCell`)."""
    log_deviation: Any = None
    """Of continuous actions, (actions,)."""


class Samples(NamedTuple):
    """A rollout as the loss needs it: one column (or entry) per sample, all environments and times alike."""

    observation: Float[Array, "features batch"]
    readout: Float[Array, "actions batch"]
    action: Int[Array, " batch"] | Float[Array, "actions batch"]
    log_prob: Float[Array, " batch"]
    value: Float[Array, " batch"]
    advantage: Float[Array, " batch"]
    weight: Any = None
    """(batch,): 1, or 0 for rows in which an environment did nothing but reset (`host.py`); None: all count."""


class Curve(NamedTuple):
    """What is kept of every update; NaN where there was nothing to measure."""

    episode_return: Float[Array, " updates"]
    episodes: Int[Array, " updates"]
    greedy_return: Float[Array, " updates"]
    at_bound: Float[Array, " updates"]
    learned: dict[str, Any] | None = None
    """The values of the learned parameters after each update, by dotted name."""


class TrainState(NamedTuple):
    """A run between two updates."""

    agent: Agent
    optimiser: optax.OptState
    acting: Acting
    key: PRNGKeyArray
    curve: Curve
    diverged_at: Int[Array, ""]
    """Environment steps done when the loss or its gradient was first not finite; −1 while all is well."""
    learned_optimiser: Any = None
    """The optimiser's state for learned parameters of the cell, where there are some."""


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
        ended = experience.terminated | experience.truncated
        seen, final = recurrent.seen_by_heads(agent.core, experience.memory, ended, view[:, -envs:], final)
    value = agent.critic(seen)[0].reshape(time + 1, envs)
    cut_off = truncation_values(agent.critic, final, experience.truncated, env.time_limit)
    next_value = jnp.where(experience.truncated, cut_off, value[1:])
    ppo = settings.ppo
    ends = (experience.terminated, experience.truncated)
    advantage = gae(experience.reward, value[:-1], next_value, *ends, ppo.discount, ppo.gae_lambda)
    flat = [u.transpose(1, 0, 2).reshape(-1, time * envs) for u in (experience.logits, experience.readout)]
    action = experience.action.reshape(-1)
    if agent.log_deviation is not None:
        action = experience.action.transpose(1, 0, 2).reshape(-1, time * envs)
    return Samples(
        observation=view[:, :-envs],
        readout=flat[1],
        action=action,
        log_prob=distribution.of(blend(settings.blend, *flat), agent.log_deviation).log_prob(action),
        value=value[:-1].reshape(-1),
        advantage=advantage.reshape(-1),
    )


# --- Loss and update -------------------------------------------------------------------------------------------------


def ppo_loss(networks: Networks, settings: Settings, rollout: Samples | Sequences) -> Float[Array, ""]:
    """The clipped surrogate, the (clipped) value loss and the entropy bonus on one minibatch.

    With r the probability ratio, A the advantages normalised over the minibatch, V the value, R = A_gae + V_old:

        L = −E[min(r·A, clip(r, 1−ε, 1+ε)·A)] + c_v·½·E[max((V−R)², (V_clip−R)²)] − c_e·E[H] + c_d·E[CE]

    CE is the cross-entropy from the blended policy, held fixed, to the network alone (`blend.distil`).
    """
    samples = recurrent.as_samples(networks.core, rollout) if isinstance(rollout, Sequences) else rollout
    ppo = settings.ppo
    logits = networks.actor(samples.observation)
    policy = distribution.of(blend(settings.blend, logits, samples.readout), networks.log_deviation)
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


def _mean(weight: Any, values: Float[Array, " batch"]) -> Float[Array, ""]:
    """The mean over the samples that count."""
    if weight is None:
        return jnp.mean(values)
    return jnp.sum(jnp.where(weight > 0, values, 0.0)) / jnp.maximum(jnp.sum(weight), 1.0)


def optimiser(ppo: PPO) -> optax.GradientTransformation:
    """Clipping by the global norm, then Adam's direction; `learn` multiplies it by the learning rate."""
    return optax.chain(optax.clip_by_global_norm(ppo.max_gradient_norm), optax.scale_by_adam(eps=1e-5))


def shuffle(key: PRNGKeyArray, epochs: int, batch: int) -> Int[Array, "epochs batch"]:
    """A random order of the batch for each epoch.

    Random numbers whose last bits are replaced by the position are sorted, and the positions read off: sorting one
    array of plain numbers is twice as fast on a CPU as `jax.random.permutation`, which sorts pairs.
    """
    position = jnp.arange(batch, dtype=jnp.uint32)[None]
    last_bits = jnp.uint32(2 ** (batch - 1).bit_length() - 1)
    numbers = jax.random.bits(key, (epochs, batch)) & ~last_bits | position
    return (jnp.sort(numbers, axis=1) & last_bits).astype(jnp.int32)


def learn(
    settings: Settings,
    networks: Networks,
    optimiser_state: optax.OptState,
    samples: Samples | Sequences,
    learning_rate: Scalar,
    key: PRNGKeyArray,
) -> tuple[Networks, optax.OptState, Bool[Array, ""]]:
    """Several epochs of minibatch steps on one rollout; also returns whether loss and gradient stayed finite."""
    ppo = settings.ppo
    batch = ppo.num_envs if isinstance(samples, Sequences) else ppo.batch
    minibatches = shuffle(key, ppo.epochs, batch).reshape(ppo.epochs * ppo.minibatches, -1)

    def step(carry, chosen):
        networks, optimiser_state, finite = carry
        minibatch = jax.tree.map(lambda u: u[..., chosen], samples)
        loss, gradient = jax.value_and_grad(ppo_loss)(networks, settings, minibatch)
        finite = finite & jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(gradient))
        direction, optimiser_state = optimiser(ppo).update(gradient, optimiser_state)
        networks = jax.tree.map(lambda w, d: w - learning_rate * d, networks, direction)
        return (networks, optimiser_state, finite), None

    return jax.lax.scan(step, (networks, optimiser_state, jnp.array(True)), minibatches)[0]


def networks_of(agent: Agent) -> Networks:
    """What of the agent the gradient trains."""
    return Networks(agent.actor, agent.critic, agent.core, agent.log_deviation)


# --- Training one run ------------------------------------------------------------------------------------------------


def init(settings: Settings, env: Environment, seed: Int[Array, ""], cell_seed: Int[Array, ""]) -> TrainState:
    """A run before its first update. `seed` decides all of the learner's chance, `cell_seed` the cell's pattern."""
    env = task.around(settings, env)
    key = jax.random.fold_in(jax.random.key(LEARNER_STREAM), seed)
    cell_key = jax.random.fold_in(jax.random.key(CELL_STREAM), cell_seed)
    key_agent, key_begin, key_updates = jax.random.split(key, 3)
    agent = init_agent(settings, env.num_features, env.num_actions, key_agent, cell_key, continuous=env.continuous)
    return untrained(settings, agent, begin(settings, env, agent, key_begin, settings.ppo.num_envs), key_updates)


def untrained(settings: Settings, agent: Agent, acting: Any, key: PRNGKeyArray) -> TrainState:
    """A run that has learned nothing yet."""
    unmeasured = jnp.full(settings.updates, jnp.nan)
    names = settings.learned.parameters
    return TrainState(
        agent=agent,
        optimiser=optimiser(settings.ppo).init(networks_of(agent)),  # pyright: ignore[reportArgumentType]
        acting=acting,
        key=key,
        curve=Curve(
            unmeasured,
            jnp.zeros(settings.updates, jnp.int32),
            unmeasured,
            unmeasured,
            dict.fromkeys(names, unmeasured) if names else None,
        ),
        diverged_at=jnp.array(-1),
        learned_optimiser=through_time.optimiser().init(agent.learned) if names else None,  # pyright: ignore[reportArgumentType]
    )


def update(settings: Settings, env: Environment, state: TrainState, index: Int[Array, ""]) -> TrainState:
    """The update number `index`: collect a rollout, learn from it, evaluate if it is time, and note the curve."""
    settings = performance.in_force(settings, state.agent.performance, index / settings.updates)
    env = task.around(settings, env)
    key_rollout, key_learn, key_evaluate = jax.random.split(jax.random.fold_in(state.key, index), 3)
    chance = draw(settings, env, key_rollout)
    acting, experience = collect(settings, env, state.agent, state.acting, chance)

    state = improve(settings, env, state, acting, experience, key_learn, index, chance)
    greedy_return = _evaluate_if_due(settings, env, state.agent, key_evaluate, index)
    offsets = state.agent.learned
    values = None if offsets is None else learned.values(settings, offsets)
    return state._replace(curve=note(state.curve, index, experience, greedy_return, values))


def improve(
    settings: Settings,
    env: Environment,
    state: TrainState,
    acting: Acting,
    experience: Experience,
    key: PRNGKeyArray,
    index: Int[Array, ""],
    chance: Any = None,
    weight: Any = None,
) -> TrainState:
    """Learn from a rollout that leads from `state.acting` to `acting`.

    Args:
        chance: the rollout's `Chance`, which only learning through time needs.
        weight: (time, envs), 0 for rows in which an environment did nothing but reset; None if there are none.
    """
    ppo = settings.ppo
    acted = learned.effective(settings, state.agent.learned)
    samples = prepare(acted, env, state.agent, experience, acting.observation)
    if weight is not None:
        samples = samples._replace(weight=weight.reshape(-1))
    offsets, learned_optimiser = state.agent.learned, state.learned_optimiser
    share = 1 - index / settings.updates if ppo.anneal else 1.0
    if offsets is not None:
        trace = through_time.trace(settings, state.agent, state.acting.cells, chance, experience, samples)
        networks = Networks(state.agent.actor, state.agent.critic)
        orders = shuffle(jax.random.fold_in(key, 1), ppo.epochs, ppo.num_envs)
        offsets, learned_optimiser = through_time.learn(
            settings, ppo_loss, networks, offsets, learned_optimiser, trace, share, orders
        )
    if state.agent.core is not None:
        ended = experience.terminated | experience.truncated
        samples = recurrent.as_sequences(samples, state.acting.memory, ended)
    networks = networks_of(state.agent)
    networks, optimiser_state, finite = learn(acted, networks, state.optimiser, samples, ppo.learning_rate * share, key)

    seen = experience.observation.transpose(1, 0, 2).reshape(env.num_features, -1)
    agent = dataclasses.replace(
        state.agent,
        **networks._asdict(),
        statistics=observe(state.agent.statistics, seen),
        pattern=_lasting(settings, state.agent, acting),
        performance=_follow(state.agent, experience),
        learned=offsets,
    )
    first_failure = (state.diverged_at < 0) & ~finite
    return TrainState(
        agent=agent,
        optimiser=optimiser_state,
        acting=acting,
        key=state.key,
        curve=state.curve,
        diverged_at=jnp.where(first_failure, (index + 1) * ppo.batch, state.diverged_at),
        learned_optimiser=learned_optimiser,
    )


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
        >>> trained = jax.jit(train, static_argnums=1)(settings, envs.make(settings.environment), 0)
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


def _lasting(settings: Settings, agent: Agent, acting: Acting) -> Any:
    """The pattern that evaluations start from: where patterns outlive episodes and grow by reward, the fittest."""
    rule = settings.guidance.kind
    grows = rule == "win_stay" or (rule == "three_factor" and settings.cell.reset == "never")
    if acting.learning is None or not grows:
        return agent.pattern
    return signals.fittest(acting.cells, acting.learning.fitness)


def _follow(agent: Agent, experience: Experience) -> performance.Performance | None:
    if agent.performance is None:
        return None
    surprise = None if experience.td_error is None else jnp.mean(jnp.abs(experience.td_error))
    return performance.follow(agent.performance, _mean_return(experience), surprise)


def _mean_return(experience: Experience) -> Float[Array, ""]:
    """The mean over the episodes that ended; 0/0 is NaN where none did: what does not exist must not enter a mean."""
    done = experience.terminated | experience.truncated
    return jnp.sum(experience.episode_return * done) / jnp.sum(done)


def note(
    curve: Curve,
    index: Int[Array, ""],
    experience: Experience,
    greedy_return: Float[Array, ""],
    values: dict[str, Any] | None = None,
) -> Curve:
    """Add an update to the curve."""
    episodes = jnp.sum(experience.terminated | experience.truncated)
    now = Curve(_mean_return(experience), episodes, greedy_return, jnp.mean(experience.at_bound), values)
    return jax.tree.map(lambda kept, value: kept.at[index].set(value), curve, now)
