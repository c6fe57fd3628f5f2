"""Learned parameters: which ones, and how a value is made of what it starts from and what was learned."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.config.errors import SettingError
from morphorl.config.fields import COUNT_OR_ZERO, FINITE, NOT_NEGATIVE, POSITIVE, Allowed, check, setting

PARTS = ("dynamics", "guidance", "blend")
"""The tables of a run's settings in which numbers can be learned."""
Space = Literal["log", "free"]

Offsets = Mapping[str, Float[Array, "*runs"]]
"""What was learned, by the setting's dotted name: 0 at the start."""


class Learned(eqx.Module):
    """Which parameters of dynamics, guidance and blend PPO's loss trains, through time (`through_time.py`).

    With an offset u, which starts at 0, the value that acts is

        θ = θ₀·exp(u)   for what must stay positive (diffusion, decay, dt)
        θ = θ₀ + u      for what may have either sign (production, drive, strength, weight)

    where θ₀ is the setting of that name. The initial pattern, and all settings that are not named, stay fixed.

    Source: the post's outlook, "learning the dynamics' parameters".
    """

    parameters: tuple[str, ...] = setting((), Allowed("a list of names", lambda names: True), static=True)
    """Dotted names, such as `dynamics.drive`; none: the post's fixed system."""
    learning_rate: float = setting(3e-3, NOT_NEGATIVE)
    """Adam's step size for them, in the logarithm of what stays positive (annealed with PPO's; 0: all stay fixed)."""
    span: int = setting(0, COUNT_OR_ZERO, static=True)
    """Steps through which the gradient flows back (0: to the rollout's start)."""

    def __check_init__(self) -> None:
        check(self, "learned")
        if len(set(self.parameters)) < len(self.parameters):
            raise SettingError(f"learned.parameters = {list(self.parameters)!r}: must not name one twice.")


def space_of(module: eqx.Module, name: str) -> Space | None:
    """In which space a number of a module is learned; None for what cannot be.

    What its field says (`setting(…, learned=…)`), else what it allows: free where any finite number is allowed, in log
    space where it must not be negative.
    """
    for field in dataclasses.fields(module):
        if field.name == name and not field.metadata.get("static"):
            said = field.metadata.get("learned", "fixed")
            by_values: dict[Any, Space] = {FINITE: "free", NOT_NEGATIVE: "log", POSITIVE: "log"}
            spaces: dict[str, Space | None] = {"log": "log", "fixed": None}
            return spaces[said] if said in spaces else by_values.get(field.metadata.get("allowed"))
    return None


def learnable(settings: Any) -> list[str]:
    """The dotted names of all that could be learned in a run with these settings."""
    parts = {part: getattr(settings, part) for part in PARTS}
    return [
        f"{part}.{field.name}"
        for part, module in parts.items()
        for field in dataclasses.fields(module)
        if space_of(module, field.name)
    ]


def init(parameters: Iterable[str]) -> dict[str, Float[Array, ""]] | None:
    """Nothing learned yet; None where nothing is to be learned."""
    return {name: jnp.zeros(()) for name in parameters} or None


def effective[M: eqx.Module](settings: M, offsets: Offsets | None) -> M:
    """The settings that act: those of a run, with what was learned applied."""
    for name, offset in (offsets or {}).items():
        part, field = name.split(".")
        module = getattr(settings, part)
        start = getattr(module, field)
        value = start * jnp.exp(offset) if space_of(module, field) == "log" else start + offset
        settings = _replace(settings, part, _replace(module, field, value))
    return settings


def values(settings: eqx.Module, offsets: Offsets) -> dict[str, Float[Array, ""]]:
    """The values that act, by dotted name."""
    acting = effective(settings, offsets)
    names = {name: name.split(".") for name in offsets}
    return {name: jnp.asarray(getattr(getattr(acting, part), field)) for name, (part, field) in names.items()}


def _replace[M: eqx.Module](module: M, field: str, value: Any) -> M:
    return eqx.tree_at(lambda one: getattr(one, field), module, value)
