"""What stands beside the network and gives a readout: the cell, or a control in its place."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.dynamics import coloured_noise, correlated_noise, echo_state, gierer_meinhardt, state_dependent_noise
from morphorl.dynamics.control import IN_PLACE_OF_CELL
from morphorl.dynamics.echo_state import Wiring
from morphorl.dynamics.gierer_meinhardt import Propagator
from morphorl.dynamics.guidance import Signal
from morphorl.ppo.settings import Settings

State = Any
"""A `CellState`, a field's `Lines`, the noise (a number per action), the processes of coloured noise, the weights of
state-dependent exploration, or the reservoir's units; parallel ones add an axis."""


class Companion(NamedTuple):
    """A companion at the start of an episode, and what of it never changes."""

    pattern: State
    wiring: Wiring | Propagator | None
    """The weights of a reservoir, what a field's diffusion and decay do in a step; nothing for the others."""


def init(settings: Settings, key: PRNGKeyArray, features: int, actions: int) -> Companion:
    """Draw a companion; `key` alone decides it."""
    return Companion(draw_state(settings, key, features, actions), _wire(settings, key, features, actions))


def draw_state(settings: Settings, key: PRNGKeyArray, features: int, actions: int) -> State:
    """Draw an initial state: the cell's pattern, noise from its distribution, weights, or a reservoir at rest."""
    if settings.control.kind == "noise":
        return correlated_noise.init(settings.control.deviation, key, actions)
    if settings.control.kind == "coloured":
        return coloured_noise.init(key, actions)
    if settings.control.kind == "state_dependent":
        return state_dependent_noise.init(key, settings.ppo.hidden[-1], actions)
    if settings.control.kind == "reservoir":
        return jnp.zeros(echo_state.size(features, actions))
    if settings.cell.kind == "field":
        return gierer_meinhardt.init(settings.field, settings.cell.initial_scale, key, features, actions)
    return settings.cell.init(key, (features, actions))


def draw_chance(
    settings: Settings, key: PRNGKeyArray, shape: tuple[int, ...], actions: int, envs: int
) -> Float[Array, "*shape rows envs"] | None:
    """The random numbers that steps need, `shape` of them: a sign, normal numbers for each action, or nothing."""
    if settings.control.kind == "sign":
        return jax.random.rademacher(key, (*shape, 1, envs), jnp.float32)
    if settings.control.kind == "noise":
        return jax.random.normal(key, (*shape, actions, envs))
    if settings.control.kind == "coloured":
        return jax.random.normal(key, (*shape, coloured_noise.PROCESSES * actions, envs))
    return None


def step(
    settings: Settings,
    wiring: Any,
    state: State,
    observation: Float[Array, "features envs"],
    chance: Any,
    signal: Signal | None = None,
    weights: Float[Array, " envs"] | None = None,
    hidden: Float[Array, "units envs"] | None = None,
) -> tuple[State, Float[Array, "actions envs"]]:
    """Advance parallel companions by one environment step under their observations.

    Args:
        wiring: from `init`.
        chance: (rows, envs) random numbers from `draw_chance`, or None where it has none to give.
        signal: what reward-aware guidance knows.
        weights: how much each environment's cell counts where cells exchange their patterns.
        hidden: the policy network's last hidden layer, which only state-dependent exploration needs.

    Returns:
        Their new states and readouts.

    Raises:
        ValueError: for state-dependent exploration without `hidden`.
    """
    control = settings.control
    if control.kind == "noise":
        state = correlated_noise.step(control.deviation, control.autocorrelation, state, chance)
        return state, state
    if control.kind == "coloured":
        return coloured_noise.step(control.deviation, control.colour, state, chance.reshape(state.shape))
    if control.kind == "state_dependent":
        if hidden is None:
            raise ValueError("State-dependent exploration needs the policy's last hidden layer.")
        return state, state_dependent_noise.step(control.deviation, state, hidden)
    if control.kind == "reservoir":
        scales = (control.spectral_radius, control.input_scale, control.deviation)
        return echo_state.step(wiring, *scales, state, observation)
    if settings.cell.kind == "field":
        parts = (settings.field, settings.cell, settings.guidance, wiring)
        state, readout = gierer_meinhardt.step(*parts, state, observation)
    else:
        step = jax.vmap(settings.cell.step, in_axes=(-1, -1, None, -1), out_axes=-1)
        state, readout = step(state, observation, settings.guidance, signal)
        state = settings.cell.exchange(state, weights)
    return state, readout * chance if control.kind == "sign" else readout


def at_bound(settings: Settings, state: State) -> Float[Array, ""]:
    """The share of state variables on which the cell's bound acts, or of a field's lines on which its floor does.

    0 for a companion that is no cell.
    """
    if settings.control.kind in IN_PLACE_OF_CELL:
        return jnp.zeros(())
    if settings.cell.kind == "field":
        return gierer_meinhardt.floored(settings.field, state)
    return settings.cell.at_bound(state)


def _wire(settings: Settings, key: PRNGKeyArray, features: int, actions: int) -> Wiring | Propagator | None:
    if settings.control.kind == "reservoir":
        return echo_state.wire(key, features, actions)
    if settings.control.kind not in IN_PLACE_OF_CELL and settings.cell.kind == "field":
        return gierer_meinhardt.propagator(settings.field, settings.cell.dt)
    return None
