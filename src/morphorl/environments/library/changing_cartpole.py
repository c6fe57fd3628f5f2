"""CartPole that changes, and does not show it: within every episode, or once within training."""

import re
from typing import Literal, NamedTuple, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.config.errors import SettingError
from morphorl.environments import cartpole
from morphorl.environments.base import Environment, Step
from morphorl.environments.cartpole import CartPoleState

FORM = re.compile(
    r"ChangingCartPole-(?:(length|gravity)-(\d+(?:\.\d+)?)|(push)-reversed)-(step|chance|share)-(\d+(?:\.\d+)?)"
)
IDS = (
    "ChangingCartPole-length-1.5-step-100",
    "ChangingCartPole-gravity-30-step-100",
    "ChangingCartPole-push-reversed-chance-0.01",
    "ChangingCartPole-length-1.5-share-0.5",
    "ChangingCartPole-gravity-30-share-0.5",
    "ChangingCartPole-push-reversed-share-0.5",
)
What = Literal["length", "gravity", "push"]
Clock = Literal["step", "chance", "share"]
Number = float | Float[Array, ""]


class Change(NamedTuple):
    """What changes, to which value, and when."""

    what: What
    """`length`: half the pole's length (m; 0.5 before), at the same mass. `gravity` (m/s²; 9.8 before). `push`: an
    action pushes to the other side."""
    value: float
    """0 for `push`, which has none."""
    clock: Clock
    """`step`: of every episode. `chance`: at each step of an episode, until it has come. `share`: of the training that
    is over, once."""
    when: float
    """So many steps are taken under the physics of before; or the change comes with this probability a step; or after
    such a share of the training."""


class ChangingState(NamedTuple):
    """CartPole's state, and how many steps of the episode are taken under the physics of before."""

    cart: CartPoleState
    until: Int[Array, ""]


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
            f"environment = {env_id!r}: must be ChangingCartPole-WHAT-VALUE-CLOCK-WHEN, with WHAT length or gravity "
            "and VALUE above 0, or push-reversed, and as CLOCK and WHEN step and a whole number from 1 to 499, or "
            f"chance or share and a number between 0 and 1, as in {IDS[0]}, {IDS[2]} and {IDS[4]}."
        )
    return changing_cartpole(env_id, change)


def changing_cartpole(env_id: str, change: Change) -> Environment:
    """CartPole-v1 until the change, and CartPole-v1 with other physics after it; nothing shows the change.

    Observation: [x, x', θ, θ'] (m, rad, seconds). Action: push left or right. Reward: 1 a step. The episode terminates
    as CartPole-v1's does, and is truncated after 500 steps.

    A change by `step` or `chance` comes in every episode: an agent must notice it and act otherwise. One by `share`
    comes once in training: an agent must learn again. Evaluation after training meets what training ended with.
    """

    def at(progress: Float[Array, ""] | float) -> Environment:
        return _cartpole(env_id, change, jnp.asarray(progress) >= change.when)

    if change.clock == "share":
        return at(1.0)._replace(at=at)
    return _cartpole(env_id, change, None)


def _cartpole(env_id: str, change: Change, has_changed: Bool[Array, ""] | None) -> Environment:
    """CartPole of before or after the change; with None, each episode's own time decides."""

    def reset(key):
        cart = cartpole.start(key)  # with the key itself: episodes begin as CartPole-v1's, to the last bit
        return ChangingState(cart, _until(change, jax.random.fold_in(key, 1))), cartpole.whole(cart)

    def step(key, state: ChangingState, action) -> Step:
        before = state.cart
        after_change = before.time >= state.until if has_changed is None else has_changed
        paid = 1.0 - cartpole.has_fallen(before)
        pushed = jnp.where(after_change, 1 - action, action) if change.what == "push" else action
        after = cartpole.move(before, pushed, *physics(change, after_change))
        terminated, truncated = cartpole.has_fallen(after), after.time >= cartpole.TIME_LIMIT
        return Step(state._replace(cart=after), cartpole.whole(after), jnp.float32(paid), terminated, truncated)

    return Environment(env_id, 4, 2, cartpole.TIME_LIMIT, cartpole.THRESHOLD, reset, step)


def _until(change: Change, key: PRNGKeyArray) -> Int[Array, ""]:
    """How many steps of an episode are taken under the physics of before: WHEN, or drawn; 0, unread, for `share`."""
    if change.clock == "chance":
        return jax.random.geometric(key, change.when, dtype=jnp.int32)
    return jnp.int32(change.when if change.clock == "step" else 0)


def physics(change: Change, after_change: Bool[Array, ""]) -> tuple[Number, Number]:
    """Gravity (m/s²) and half the pole's length (m), before or after a change."""
    if change.what == "gravity":
        return jnp.where(after_change, change.value, cartpole.GRAVITY), cartpole.HALF_LENGTH
    if change.what == "length":
        return cartpole.GRAVITY, jnp.where(after_change, change.value, cartpole.HALF_LENGTH)
    return cartpole.GRAVITY, cartpole.HALF_LENGTH


def _change(env_id: str) -> Change | None:
    """The change that an id says; None if it says none."""
    found = FORM.fullmatch(env_id)
    if found is None:
        return None
    what, clock, when = cast(What, found[1] or found[3]), cast(Clock, found[4]), float(found[5])
    value = float(found[2] or 0)
    allowed = (value > 0 or what == "push") and _is_in_time(clock, when)
    return Change(what, value, clock, when) if allowed else None


def _is_in_time(clock: Clock, when: float) -> bool:
    """Whether a change may come then."""
    if clock == "step":
        return when.is_integer() and 1 <= when < cartpole.TIME_LIMIT
    return 0 < when < 1
