"""The agent: policy and value network beside a dynamical system, and the scale of its observations."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from morphorl.dynamics import learned_parameters
from morphorl.dynamics.base import Given, Shape, State
from morphorl.dynamics.blending import blend
from morphorl.dynamics.guidance.base import Performance, Signal
from morphorl.ppo import recurrent
from morphorl.ppo.convolution import Picture, init_convolution
from morphorl.ppo.networks import ACTOR_SCALE, CRITIC_SCALE, MLP, init_mlp
from morphorl.ppo.schedules import unknown
from morphorl.ppo.settings import Settings


class Statistics(NamedTuple):
    """Running moments of the observations: how many, their mean and sum of squared deviations per feature."""

    size: Float[Array, ""]
    mean: Float[Array, " features"]
    deviations: Float[Array, " features"]


class Agent(eqx.Module):
    """Everything that acts: networks, the initial pattern of the dynamics, and observation statistics."""

    actor: MLP
    critic: MLP
    pattern: State
    statistics: Statistics
    constants: PyTree = None
    """What of the dynamics never changes in a run (`Dynamics.constants`)."""
    core: recurrent.Core | None = None
    """The recurrent unit under both networks."""
    log_deviation: Float[Array, " actions"] | None = None
    """log σ of continuous actions; the network and the dynamics then give their mean in place of logits."""
    returns: Statistics | None = None
    """Of the discounted sums of rewards, which the rewards are scaled by (`reward_scale.py`)."""
    learned: dict[str, Float[Array, ""]] | None = None
    """What was learned of the dynamics' parameters (`learned_parameters.Offsets`)."""
    performance: Performance | None = None
    """How the run is doing, where the guidance wants to know."""


class PolicyOutput(NamedTuple):
    """One step of the agent in parallel environments: the network's logits, the dynamics' readout, and their blend."""

    logits: Float[Array, "actions envs"]
    readout: Float[Array, "actions envs"]
    blended: Float[Array, "actions envs"]
    memory: Float[Array, "memory envs"] | None = None
    """A recurrent network's memory, this observation included."""


def init_agent(
    settings: Settings,
    features: int,
    actions: int,
    key: PRNGKeyArray,
    cell_key: PRNGKeyArray,
    *,
    continuous: bool = False,
    picture: Picture | None = None,
) -> Agent:
    """A fresh agent; the networks come from `key` and the dynamics' pattern from `cell_key` alone.

    Args:
        features: how many numbers the networks see.
        picture: what an observation is, where `ppo.network` is `cnn`.
    """
    key_actor, key_critic, key_core = jax.random.split(key, 3)
    inputs, hidden, activation, core = features, settings.ppo.hidden, settings.ppo.activation, None
    if settings.ppo.is_recurrent:
        width, *hidden = hidden
        core = recurrent.init(settings.ppo.network, key_core, features, width)
        inputs = core.hidden_size
    shape = shape_of(settings, features, actions)
    seen = None
    if settings.ppo.network == "cnn":
        assert picture is not None, "compatibility.py refuses a convolution of what is no picture"
        seen = [init_convolution(key, picture, settings.ppo.filters) for key in jax.random.split(key_core)]
        inputs = seen[0].outputs
    actor = init_mlp(key_actor, (inputs, *hidden, actions), ACTOR_SCALE, activation)
    critic = init_mlp(key_critic, (inputs, *hidden, 1), CRITIC_SCALE, activation)
    if seen is not None:
        actor, critic = (dataclasses.replace(net, convolution=c) for net, c in zip((actor, critic), seen, strict=True))
    return Agent(
        actor=dataclasses.replace(actor, skip=jnp.zeros((actions, inputs))) if settings.ppo.skip else actor,
        critic=critic,
        pattern=settings.dynamics.init(cell_key, shape),
        statistics=no_statistics(features),
        constants=settings.dynamics.constants(cell_key, shape),
        core=core,
        log_deviation=jnp.full(actions, settings.ppo.log_deviation, jnp.float32) if continuous else None,
        returns=no_statistics(1) if settings.ppo.normalise_rewards else None,
        learned=learned_parameters.init(settings.learned.parameters),
        performance=unknown() if settings.guidance.needs else None,
    )


def no_statistics(features: int) -> Statistics:
    """Before anything was observed."""
    return Statistics(jnp.zeros(()), jnp.zeros(features), jnp.zeros(features))


def spread(pattern: State, envs: int) -> State:
    """One copy of the pattern for each parallel environment, on a new last axis."""
    return jax.tree.map(lambda u: jnp.repeat(u[..., None], envs, axis=-1), pattern)


def shape_of(settings: Settings, features: int, actions: int) -> Shape:
    """How many (features, actions) the blended dynamics have: features of what they see."""
    return (settings.ppo.hidden[-1] if sees_hidden(settings) else features), actions


def sees_hidden(settings: Settings) -> bool:
    """Whether the blended dynamics see the policy network's last hidden layer in place of the observation.

    They do where they say so, and where the observation is a picture, whose single pixels tell little.
    """
    return settings.dynamics.sees == "hidden" or settings.ppo.network == "cnn"


def policy_step(
    settings: Settings,
    agent: Agent,
    states: State,
    observation: Float[Array, "features envs"],
    memory: Float[Array, "memory envs"] | None = None,
    noise: PyTree = None,
    signal: Signal | None = None,
    weights: Float[Array, " envs"] | None = None,
) -> tuple[State, PolicyOutput]:
    """Advance the dynamics by one step under the observation, and blend their readouts into the network's logits.

    Args:
        states: of the dynamics, the environments on the last axis.
        memory: what a recurrent network remembers of the episode so far.
        noise: random numbers for dynamics that need some, from `Dynamics.noise`.
        signal: what reward-aware guidance knows.
        weights: how much each environment counts where dynamics exchange their states.

    Returns:
        The new states of the dynamics, and the step's logits.
    """
    settings = learned_parameters.effective(settings, agent.learned)
    view = network_view(settings, agent.statistics, observation)
    if agent.core is not None:
        assert memory is not None, "a recurrent network needs the memory of the episode so far"
        view = memory = recurrent.step(agent.core, memory, view)
    logits = agent.actor(view)
    if settings.blend.kind == "none":
        return states, PolicyOutput(logits, jnp.zeros_like(logits), logits, memory)
    seen = system_view(settings, agent, observation, view)
    given = Given(settings.guidance, agent.constants, noise, signal, weights)
    states, readout = settings.dynamics.advance(states, seen, given)
    return states, PolicyOutput(logits, readout, blend(settings.blend, logits, readout), memory)


def system_view(
    settings: Settings, agent: Agent, observation: Float[Array, "features envs"], view: Float[Array, "inputs envs"]
) -> Float[Array, "seen envs"]:
    """What the blended dynamics take for their observation: the policy's last hidden layer, or what was observed.

    Args:
        view: the observation as the networks see it.
    """
    return agent.actor.hidden(view) if sees_hidden(settings) else dynamics_view(settings, agent.statistics, observation)


def network_view(
    settings: Settings, statistics: Statistics, observation: Float[Array, "features batch"]
) -> Float[Array, "features batch"]:
    """The observation as the networks see it: as it is, or (x − mean)/deviation clipped to ±10."""
    if not settings.ppo.normalise_observations:
        return observation
    variance = variance_of(statistics)
    standard = (observation - statistics.mean[:, None]) / jnp.sqrt(variance + 1e-8)[:, None]
    return jnp.clip(standard, -10.0, 10.0)


def dynamics_view(
    settings: Settings, statistics: Statistics, observation: Float[Array, "features batch"]
) -> Float[Array, "features batch"]:
    """The observation as the dynamics see it: as it is, or divided by its running root mean square."""
    if not settings.dynamics.normalise:
        return observation
    mean_square = variance_of(statistics) + statistics.mean**2
    return observation / jnp.sqrt(mean_square + 1e-8)[:, None]


def observe(statistics: Statistics, observation: Float[Array, "features batch"]) -> Statistics:
    """Add a batch to the running moments (Chan, Golub and LeVeque's parallel update)."""
    batch = observation.shape[1]
    mean = jnp.mean(observation, axis=1)
    size = statistics.size + batch
    delta = mean - statistics.mean
    deviations = jnp.sum((observation - mean[:, None]) ** 2, axis=1)
    return Statistics(
        size=size,
        mean=statistics.mean + delta * batch / size,
        deviations=statistics.deviations + deviations + delta**2 * statistics.size * batch / size,
    )


def variance_of(statistics: Statistics) -> Float[Array, " features"]:
    """The running variance; 1 before anything was observed."""
    seen = statistics.size > 0
    return jnp.where(seen, statistics.deviations / jnp.maximum(statistics.size, 1.0), 1.0)
