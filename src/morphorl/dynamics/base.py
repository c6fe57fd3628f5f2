"""What a dynamical system is: three methods, and a few more for a system that needs them.

A system stands beside the policy in one of two places. *Blended*, its readout joins the network's logits
(`Settings.dynamics`). *Seen*, it shows the networks what it remembers of the past (`Settings.memory`).
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from morphorl.config.errors import SettingError
from morphorl.config.fields import FRACTION, check, setting
from morphorl.config.kinds import Kind
from morphorl.dynamics.guidance.base import Guidance, Signal

Shape = tuple[int, int]
"""Observation features and actions."""
State = PyTree
"""Whatever a system remembers: any pytree of float arrays."""
Guide = Callable[..., Float[Array, "..."]]
"""`guide(u)` is the guidance's term for a state u; `guide(u, read=True)` for one of shape (features, actions) that is
read out as o_k = Σ_i x_i·u_ik, which three-factor rules take for granted."""


class Given(NamedTuple):
    """What parallel environments give their systems in a step, beside their observations; None where there is none."""

    guidance: Guidance
    constants: PyTree = None
    """From `Dynamics.constants`, the same for all environments."""
    noise: PyTree = None
    """From `Dynamics.noise`, the environments on the last axis."""
    signal: Signal | None = None
    """What guidance that knows the reward may know."""
    weights: Float[Array, " envs"] | None = None
    """How much each environment counts where systems exchange their states."""


class Dynamics(Kind):
    """A dynamical system for one environment; the library runs many of them side by side.

    A system is an Equinox module. Numbers (`setting(…)`) are leaves, so that runs which differ in them share one
    compiled program. Choices (`setting(…, static=True)`) are part of the program.

    Three methods are the whole contract:

    - `init(key, shape)` draws a state, any pytree of arrays.
    - `step(state, observation, guide)` gives the next one. `guide(u)` is the guidance's term for a state u.
    - `read(state, observation)` gives one number for each action, which is blended into the logits (or means).

    These methods may ask for more by a keyword of its name: `constants` (see there: drawn once a run) and `noise` (see
    there: random numbers, drawn once a rollout).

    A system that serves as memory may say how it starts from an episode's first observation (`start`), and what the
    networks see (`show`).

    Example:
        >>> class Leaky(Dynamics):
        ...     rate: float = setting(0.1, FRACTION)
        ...
        ...     def init(self, key, shape):
        ...         return jnp.zeros(shape)
        ...
        ...     def step(self, state, observation, guide):
        ...         return state + self.rate * (observation[:, None] - state) + guide(state)
        ...
        ...     def read(self, state, observation):
        ...         return state.sum(0) * jnp.linspace(-1, 1, state.shape[1])  # a sign for each action
    """

    package: ClassVar[str] = "morphorl.dynamics"
    slots: ClassVar[tuple[str, ...]] = ("dynamics", "memory")
    sees: ClassVar[str] = "observation"
    """What the system takes for its observation: that of the environment, or with "hidden" the last hidden layer of the
    policy network, whose width is then the number of features."""

    reset: Literal["episode", "redraw", "never"] = setting("episode", static=True)
    """At an episode's end: back to the run's initial state, to a freshly drawn one, or no reset."""
    redraw: float = setting(0.0, FRACTION)
    """Probability per environment step with which a fresh state is drawn within an episode, as at its end: every 1/p
    steps on average, without memory (0: at ends alone). Only with `reset` = redraw."""
    normalise: bool = setting(False, static=True)
    """Whether the system sees observation features divided by their running root mean square."""

    def __check_init__(self) -> None:
        prefix = "dynamics" if self.is_readable else "memory"
        check(self, prefix)
        if self.reset != "redraw" and isinstance(self.redraw, int | float) and self.redraw:
            raise SettingError(
                f"{prefix}.redraw = {self.redraw}: must be 0 where {prefix}.reset is {self.reset!r}. "
                f"Set {prefix}.reset = 'redraw'."
            )

    # --- What every system has ---------------------------------------------------------------------------------------

    def init(self, key: PRNGKeyArray, shape: Shape) -> State:
        """Draw a state for so many (features, actions); `key` alone decides it."""
        raise NotImplementedError

    if TYPE_CHECKING:
        # Systems differ in the keywords that these ask for; a type checker takes each method as it is.
        step: ClassVar[Callable[..., State]]
        read: ClassVar[Callable[..., Float[Array, " actions"]]]
        start: ClassVar[Callable[..., State]]
        show: ClassVar[Callable[..., Float[Array, " shown"]]]
    else:

        def step(self, state: State, observation: Float[Array, " features"], guide: Guide) -> State:
            """The state after one environment step under an observation."""
            raise NotImplementedError

        def read(self, state: State, observation: Float[Array, " features"]) -> Float[Array, " actions"]:
            """The readout of a state that has seen the observation: one number for each action."""
            raise NotImplementedError

        def start(
            self, state: State, observation: Float[Array, " features"], guide: Guide, *, constants: PyTree = None
        ) -> State:
            """As memory: the state after an episode's first observation, from a drawn one."""
            return call(self.step, {"constants": constants}, state, observation, guide)

        def show(self, state: State, observation: Float[Array, " features"]) -> Float[Array, " shown"]:
            """As memory: what the networks see of an observation and the state *before* it; both, if not said
            otherwise."""
            return jnp.concatenate([observation, *(jnp.ravel(leaf) for leaf in jax.tree.leaves(state))])

    # --- What some systems have --------------------------------------------------------------------------------------

    def constants(self, key: PRNGKeyArray, shape: Shape) -> PyTree:
        """What is drawn or computed once a run, and never changes: the weights of a reservoir, say."""
        return None

    def noise(self, key: PRNGKeyArray, shape: Shape, batch: tuple[int, ...]) -> PyTree:
        """The random numbers of many steps at once, which is cheaper than a draw for each.

        Args:
            batch: (time, envs) or (envs,). Arrays lead with the time, if there is one, and end with the environments;
                `step` gets what is left between.
        """
        return None

    def diagnose(self, states: State) -> Float[Array, ""]:
        """A share between 0 and 1 that curves record, of parallel environments: how often a bound acts, say."""
        return jnp.zeros(())

    def picture(self, state: State) -> dict[str, Float[Array, "rows columns"]]:
        """The arrays of one environment's state as matrices, by name, for whoever draws them.

        A matrix is drawn as it is, a vector as one row; of larger arrays the first axis runs along the columns.
        """
        return {name: _matrix(array) for name, array in named_arrays(state).items()}

    def bounded(self, state: Float[Array, "..."]) -> Float[Array, "..."]:
        """One of the arrays of a state, kept within the system's bound, if it has one."""
        return state

    def exchange(self, states: State, weights: Float[Array, " envs"] | None) -> State:
        """What the systems of parallel environments do to each other after a step.

        Args:
            weights: how much each environment counts, summing to 1; all the same if None.
        """
        return states

    def advance(
        self, states: State, observations: Float[Array, "features envs"], given: Given
    ) -> tuple[State, Float[Array, "actions envs"]]:
        """All parallel environments by one step: their new states and readouts.

        A system may do better for all at once than for each, and override this.
        """

        def one(state, observation, noise, signal):
            offered = {"constants": given.constants, "noise": noise}
            guide = functools.partial(given.guidance, signal=signal)
            state = call(self.step, offered, state, observation, guide)
            return state, call(self.read, offered, state, observation)

        mapped = jax.vmap(one, in_axes=-1, out_axes=-1)
        states, readouts = mapped(states, observations, given.noise, given.signal)
        return self.exchange(states, given.weights), readouts

    @property
    def is_silent(self) -> bool:
        """Whether the readout is 0 for ever, whatever is observed and however strong blind guidance is."""
        return False

    @property
    def is_readable(self) -> bool:
        """Whether the system has a readout, and may be blended; others are memories alone."""
        return type(self).read is not Dynamics.read


def named_arrays(state: State) -> dict[str, Array]:
    """The arrays of a state by their names: those of its fields, or `state` for a single array."""
    leaves = jax.tree_util.tree_flatten_with_path(state)[0]
    return {jax.tree_util.keystr(path, simple=True, separator=".") or "state": array for path, array in leaves}


def _matrix(array: Float[Array, "..."]) -> Float[Array, "rows columns"]:
    if array.ndim == 2:
        return array
    return array.reshape(1, -1) if array.ndim < 2 else array.reshape(array.shape[0], -1).T


def call(method: Callable, offered: dict[str, PyTree], *arguments: PyTree) -> PyTree:
    """Call a method with those of the things offered that it asks for."""
    asked = _asked(getattr(method, "__func__", method))
    return method(*arguments, **{name: value for name, value in offered.items() if name in asked})


@functools.cache
def _asked(method: Callable) -> frozenset[str]:
    """The keywords by which a method asks for more."""
    return frozenset(inspect.signature(method).parameters) & {"constants", "noise"}
