"""CartPole whose pole or gravity changes: within every episode, or once within training."""

import re
from typing import Literal, NamedTuple, cast

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from morphorl.config.errors import SettingError
from morphorl.environments import cartpole
from morphorl.environments.base import Environment, Step
from morphorl.environments.cartpole import CartPoleState

FORM = re.compile(r"ChangingCartPole-(\w+)-(\d+(?:\.\d+)?)-(\w+)-(\d+(?:\.\d+)?)")
IDS = (
    "ChangingCartPole-length-1.5-step-100",
    "ChangingCartPole-gravity-30-step-100",
    "ChangingCartPole-length-1.5-share-0.5",
    "ChangingCartPole-gravity-30-share-0.5",
)
What = Literal["length", "gravity"]
Clock = Literal["step", "share"]
Number = float | Float[Array, ""]


class Change(NamedTuple):
    """What changes, to which value, and when."""

    what: What
    """`length`: half the pole's length (m; 0.5 before), at the same mass. `gravity` (m/s²; 9.8 before)."""
    value: float
    clock: Clock
    """`step`: of every episode. `share`: of the training that is over, once."""
    when: float
    """So many steps are taken under the physics of before, or such a share of the training."""


def make(env_id: str) -> Environment | None:
    """`ChangingCartPole-WHAT-VALUE-CLOCK-WHEN`, as in `IDS`; None for an id that does not begin so.

    Raises:
        SettingError: for an id that begins so and says no change.
    """
    if not env_id.startswith("ChangingCartPole"):
        return None
    change = _change(env_id)
    if change is None:
        raise SettingError(
            f"environment = {env_id!r}: must be ChangingCartPole-WHAT-VALUE-CLOCK-WHEN, with WHAT length or gravity, "
            "VALUE above 0, and as CLOCK and WHEN either step and a whole number from 1 to 499, or share and a number "
            f"between 0 and 1, as in {IDS[0]} and {IDS[-1]}."
        )
    return changing_cartpole(env_id, change)


def changing_cartpole(env_id: str, change: Change) -> Environment:
    """CartPole-v1 until the change, and CartPole-v1 with the other pole or gravity after it; nothing shows the change.

    Observation: [x, x', θ, θ'] (m, rad, seconds). Action: push left or right. Reward: 1 a step. The episode terminates
    as CartPole-v1's does, and is truncated after 500 steps.

    A change by `step` comes in every episode: an agent must notice it and act otherwise. One by `share` comes once in
    training: an agent must learn again. Evaluation after training meets what training ended with.
    """

    def at(progress: Float[Array, ""] | float) -> Environment:
        return _cartpole(env_id, change, jnp.asarray(progress) >= change.when)

    if change.clock == "step":
        return _cartpole(env_id, change, None)
    return at(1.0)._replace(at=at)


def _cartpole(env_id: str, change: Change, has_changed: Bool[Array, ""] | None) -> Environment:
    """CartPole of before or after the change; with None, each episode's own time decides."""

    def reset(key):
        state = cartpole.start(key)
        return state, cartpole.whole(state)

    def step(key, state: CartPoleState, action) -> Step:
        after_change = jnp.asarray(state.time >= change.when) if has_changed is None else has_changed
        paid = 1.0 - cartpole.has_fallen(state)
        after = cartpole.move(state, action, *physics(change, after_change))
        terminated, truncated = cartpole.has_fallen(after), after.time >= cartpole.TIME_LIMIT
        return Step(after, cartpole.whole(after), jnp.float32(paid), terminated, truncated)

    return Environment(env_id, 4, 2, cartpole.TIME_LIMIT, cartpole.THRESHOLD, reset, step)


def physics(change: Change, after_change: Bool[Array, ""]) -> tuple[Number, Number]:
    """Gravity (m/s²) and half the pole's length (m), before or after a change."""
    if change.what == "gravity":
        return jnp.where(after_change, change.value, cartpole.GRAVITY), cartpole.HALF_LENGTH
    return cartpole.GRAVITY, jnp.where(after_change, change.value, cartpole.HALF_LENGTH)


def _change(env_id: str) -> Change | None:
    """The change that an id says; None if it says none."""
    found = FORM.fullmatch(env_id)
    if found is None:
        return None
    what, value, clock, when = found[1], float(found[2]), found[3], float(found[4])
    in_time = when.is_integer() and 1 <= when < cartpole.TIME_LIMIT if clock == "step" else 0 < when < 1
    if what not in ("length", "gravity") or clock not in ("step", "share") or value <= 0 or not in_time:
        return None
    return Change(cast(What, what), value, cast(Clock, clock), when)
