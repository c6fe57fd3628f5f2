"""The learning signal inside a rollout: what reward-aware guidance may know at a step, all of it from steps before."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from morphorl.dynamics.base import State
from morphorl.dynamics.guidance.base import Eligible, Signal, Surprised
from morphorl.ppo import distributions
from morphorl.ppo.agent import Agent, PolicyOutput, network_view, shape_of, system_view
from morphorl.ppo.reward_scale import scaled
from morphorl.ppo.settings import Settings


class TraceState(NamedTuple):
    """What is remembered of the step before in parallel environments."""

    reward: Float[Array, " envs"]
    value: Float[Array, " envs"]
    terminated: Bool[Array, " envs"]
    truncated: Bool[Array, " envs"]
    """True before the first step as well: nothing is known of what led there."""
    eligibility: Float[Array, "features actions envs"]
    fitness: Float[Array, " envs"]
    """The return of the latest episode that ended in each environment."""


def begin(settings: Settings, features: int, actions: int, envs: int) -> TraceState | None:
    """Before the first step; nothing for guidance that does not know the reward."""
    if not settings.guidance.knows_reward or settings.blend.kind == "none":
        return None
    zeros, never = jnp.zeros(envs), jnp.zeros(envs, bool)
    return TraceState(zeros, zeros, never, ~never, jnp.zeros((*shape_of(settings, features, actions), envs)), zeros)


def td_signal(
    settings: Settings, agent: Agent, trace_state: TraceState, observation: Float[Array, "features envs"]
) -> tuple[Signal, Float[Array, " envs"], Float[Array, " envs"]]:
    """What is known once an observation is seen: the signal δ̂ of the step that led to it, that δ, and V of it.

    δ = r + γ·V(now) − V(before), without V(now) if the episode terminated, and 0 if it was truncated.
    """
    guidance = settings.guidance
    if not guidance.needs_value:
        return Signal(jnp.zeros_like(trace_state.value)), trace_state.value, trace_state.value
    value = agent.critic(network_view(settings, agent.statistics, observation))[0]
    reward = scaled(agent.returns, trace_state.reward)
    td_error = reward + settings.ppo.discount * value * ~trace_state.terminated - trace_state.value
    td_error = jnp.where(trace_state.truncated, 0.0, td_error)
    assert agent.performance is not None, "guidance that knows the reward follows the agent's performance"
    usual = agent.performance.usual_surprise + 1e-6
    surprise = {
        "td_error": td_error / usual,
        "constant": jnp.ones_like(td_error),
        "shuffled": jnp.roll(td_error, 1) / usual,
    }[guidance.signal if isinstance(guidance, Surprised) else "td_error"]
    return Signal(surprise, trace_state.eligibility), td_error, value


def remember(
    settings: Settings,
    agent: Agent,
    trace_state: TraceState,
    observation: Float[Array, "features envs"],
    value: Float[Array, " envs"],
    output: PolicyOutput,
    action: Int[Array, " envs"] | Float[Array, "actions envs"],
    reward: Float[Array, " envs"],
    terminated: Bool[Array, " envs"],
    truncated: Bool[Array, " envs"],
    episode_return: Float[Array, " envs"],
) -> TraceState:
    """What the next step will know of this one."""
    eligibility = trace_state.eligibility
    guidance = settings.guidance
    if isinstance(guidance, Eligible):
        seen = system_view(settings, agent, observation, network_view(settings, agent.statistics, observation))
        chosen = distributions.score(output.blended, agent.log_deviation, action)
        goes_on = ~(trace_state.terminated | trace_state.truncated)
        eligibility = (guidance.trace_decay * goes_on)[None, None] * eligibility + seen[:, None] * chosen[None]
    fitness = jnp.where(terminated | truncated, episode_return, trace_state.fitness)
    return TraceState(reward, value, terminated, truncated, eligibility, fitness)


def weights(fitness: Float[Array, " envs"]) -> Float[Array, " envs"]:
    """How much each environment's pattern counts: the softmax of its fitness, standardised over environments."""
    return jax.nn.softmax((fitness - jnp.mean(fitness)) / (jnp.std(fitness) + 1e-6))


def select(selection: str, states: State, fitness: Float[Array, " envs"]) -> State:
    """The pattern of one environment: of the first (`none`), or of the one that did best (`fittest`)."""
    chosen = jnp.argmax(fitness) if selection == "fittest" else 0
    return jax.tree.map(lambda u: u[..., chosen], states)
