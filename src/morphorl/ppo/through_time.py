"""Learning parameters of the dynamics by PPO's loss, through time.

Readouts are a function of the dynamics' parameters θ, of the states at the rollout's start, and of the observations:
r_t = read(u_t), u_t = step(θ, u_{t−1}, x_t), started anew where an episode starts. The loss is recomputed from there,
and its gradient flows back through the steps, as far as `learned.span` and the episode reach. Minibatches are made of
environments, not of single steps, since a step alone has no past.

Networks and parameters learn from one rollout apart: the networks as ever, from the readouts that were acted on, and
the parameters with the networks that acted. So a learning rate of 0 leaves the training of the networks as it is, to
the last bit.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PyTree

from morphorl.dynamics import learned_parameters
from morphorl.dynamics.base import Given, State
from morphorl.dynamics.learned_parameters import Offsets
from morphorl.ppo.agent import Agent, dynamics_view, spread
from morphorl.ppo.learning import optimiser
from morphorl.ppo.losses import Networks, ppo_loss
from morphorl.ppo.rollout import Experience
from morphorl.ppo.rollout_randomness import RolloutRandomness
from morphorl.ppo.samples import Samples, in_columns, in_sequences, starts_of
from morphorl.ppo.settings import Settings


class Trace(NamedTuple):
    """What the dynamics of a rollout went through; the last axis of every array is the environments."""

    seen: Float[Array, "time features envs"]
    """The observations as the dynamics saw them."""
    starts: Bool[Array, "time envs"]
    """Whether an episode starts with this step's observation (other than at time 0, where `cells` knows)."""
    cells: State
    """The states before the first step."""
    pattern: State
    """The states that episodes start from: the run's own, or with a leading axis of time those drawn for each step."""
    samples: Samples
    """Cut into sequences."""


def trace(
    settings: Settings,
    agent: Agent,
    cells: State,
    randomness: RolloutRandomness,
    experience: Experience,
    samples: Samples,
) -> Trace:
    """The trace of a rollout that began with `cells` and `agent`."""
    ended = experience.terminated | experience.truncated
    later = jax.tree.map(lambda u: jnp.concatenate([u[:1], u[:-1]]), randomness.pattern)
    return Trace(
        seen=jax.vmap(dynamics_view, in_axes=(None, None, 0))(settings, agent.statistics, experience.observation),
        starts=starts_of(ended) & (settings.dynamics.reset != "never"),
        cells=cells,
        pattern=spread(agent.pattern, ended.shape[1]) if later is None else later,
        samples=in_sequences(samples, *ended.shape),
    )


def readouts(settings: Settings, constants: PyTree, trace: Trace) -> Float[Array, "time actions envs"]:
    """The readouts of a rollout, recomputed under `settings`, whose parameters a gradient may follow."""
    times = jnp.arange(trace.seen.shape[0])
    cut = times % (settings.learned.span or len(times)) == 0
    redrawn = trace.pattern if settings.dynamics.reset == "redraw" else None

    def advance(cells, now):
        seen, start, cut, fresh = now
        cells = jax.tree.map(lambda u: jnp.where(cut, jax.lax.stop_gradient(u), u), cells)
        initial = trace.pattern if fresh is None else fresh
        cells = jax.tree.map(lambda s, u: jnp.where(start[(None,) * (u.ndim - 1)], s, u), initial, cells)
        return settings.dynamics.advance(cells, seen, Given(settings.guidance, constants))

    return jax.lax.scan(advance, trace.cells, (trace.seen, trace.starts, cut, redrawn))[1]


def loss(offsets: Offsets, networks: Networks, settings: Settings, constants: PyTree, trace: Trace) -> Float[Array, ""]:
    """PPO's loss of a minibatch of environments as a function of what was learned."""
    acting = learned_parameters.effective(settings, offsets)
    readout = readouts(acting, constants, trace)
    columns = readout.transpose(1, 0, 2).reshape(readout.shape[1], -1)
    return ppo_loss(networks, acting, in_columns(trace.samples)._replace(readout=columns))


def learn(
    settings: Settings,
    networks: Networks,
    constants: PyTree,
    offsets: Offsets,
    optimiser_state: optax.OptState,
    trace: Trace,
    share: float | Float[Array, ""],
    orders: Int[Array, "epochs envs"],
) -> tuple[Offsets, optax.OptState]:
    """Several epochs of minibatch steps on one rollout.

    A gradient that is not finite, as it may become through many steps of an unstable reaction, teaches nothing, and is
    taken for 0: what diverged is a derivative, and not the run.

    Args:
        networks: those that acted.
        constants: of the dynamics, which minibatches do not cut.
        share: of the learning rate, where it is annealed.
        orders: a random order of the environments for each epoch (`learning.shuffle`).
    """
    rate = share * settings.learned.learning_rate

    def step(carry, chosen):
        offsets, optimiser_state = carry
        minibatch = jax.tree.map(lambda u: u[..., chosen], trace)
        gradient = jax.grad(loss)(offsets, networks, settings, constants, minibatch)
        finite = jnp.isfinite(optax.tree.norm(gradient))
        gradient = jax.tree.map(lambda g: jnp.where(finite, g, 0.0), gradient)
        direction, optimiser_state = optimiser(settings.ppo).update(gradient, optimiser_state)
        return (jax.tree.map(lambda u, d: u - rate * d, offsets, direction), optimiser_state), None

    minibatches = orders.reshape(settings.ppo.epochs * settings.ppo.minibatches, -1)
    return jax.lax.scan(step, (offsets, optimiser_state), minibatches)[0]
