"""Learned parameters of the cell: which ones, and how a value is made of what it starts from and what was learned."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.fields import COUNT_OR_ZERO, NOT_NEGATIVE, Allowed, check, setting

POSITIVE = (
    "cell.activator_diffusion",
    "cell.inhibitor_diffusion",
    "cell.activator_decay",
    "cell.inhibitor_decay",
    "cell.dt",
)
"""Learned in log space: they stay above 0."""
FREE = (
    "cell.activator_production",
    "cell.inhibitor_production",
    "cell.drive",
    "guidance.strength",
    "blend.weight",
)
"""Learned as they are, of either sign."""
LEARNABLE = POSITIVE + FREE

Offsets = Mapping[str, Float[Array, "*runs"]]
"""What was learned, by the setting's dotted name: 0 at the start."""


class Learned(eqx.Module):
    """Which parameters of cell, guidance and blend PPO's loss trains, through time (`through_time.py`).

    With an offset u, which starts at 0, the value that acts is

        θ = θ₀·exp(u)   for what must stay positive (diffusion, decay, dt)
        θ = θ₀ + u      for what may have either sign (production, drive, strength, weight)

    where θ₀ is the setting of that name. The initial pattern, and all settings that are not named, stay fixed.

    Source: the post's outlook, "learning the dynamics' parameters".
    """

    parameters: tuple[str, ...] = setting((), Allowed("a list of names", lambda names: True), static=True)
    """Dotted names, such as `cell.drive`; none: the post's fixed cell."""
    learning_rate: float = setting(3e-3, NOT_NEGATIVE)
    """Adam's step size for them, in the logarithm of what stays positive (annealed with PPO's; 0: all stay fixed)."""
    span: int = setting(0, COUNT_OR_ZERO, static=True)
    """Steps through which the gradient flows back (0: to the rollout's start)."""

    def __check_init__(self) -> None:
        check(self, "learned")
        for name in self.parameters:
            if name not in LEARNABLE:
                raise SettingError(
                    f"learned.parameters = {name!r}: must be one of {', '.join(LEARNABLE)}."
                    f"{did_you_mean(name, list(LEARNABLE))}"
                )
        if len(set(self.parameters)) < len(self.parameters):
            raise SettingError(f"learned.parameters = {list(self.parameters)!r}: must not name one twice.")


def init(parameters: tuple[str, ...]) -> dict[str, Float[Array, ""]] | None:
    """Nothing learned yet; None where nothing is to be learned."""
    return {name: jnp.zeros(()) for name in parameters} if parameters else None


def effective[M: eqx.Module](settings: M, offsets: Offsets | None) -> M:
    """The settings that act: those of a run, with what was learned applied."""
    for name, offset in (offsets or {}).items():
        part, field = name.split(".")
        module = getattr(settings, part)
        start = getattr(module, field)
        value = start * jnp.exp(offset) if name in POSITIVE else start + offset
        settings = _replace(settings, part, _replace(module, field, value))
    return settings


def values(settings: eqx.Module, offsets: Offsets) -> dict[str, Float[Array, ""]]:
    """The values that act, by dotted name."""
    acting = effective(settings, offsets)
    found = {name: name.split(".") for name in offsets}
    return {name: jnp.asarray(getattr(getattr(acting, part), field)) for name, (part, field) in found.items()}


def _replace[M: eqx.Module](module: M, field: str, value: Any) -> M:
    return eqx.tree_at(lambda one: getattr(one, field), module, value)
