"""Choices: settings with a few named readings, which runs of one compiled program may answer differently.

A choice is part of the program as long as all runs agree on it, and then costs nothing. Where they differ, `mix` turns
it into an array-valued index, and `choose` computes every reading and selects one: dear for a neural network, cheap for
the handful of numbers of a system, and far cheaper than compiling one program for every combination of readings.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Choice(str):
    """A name among `names`; a pytree without leaves, so that it is part of a program's structure."""

    names: tuple[str, ...]

    def __new__(cls, name: str, names: tuple[str, ...]) -> "Choice":
        """The name, knowing its alternatives."""
        self = super().__new__(cls, name)
        self.names = names
        return self

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...]]]:
        return Choice, (str(self), self.names)


jax.tree_util.register_pytree_node(
    Choice, lambda choice: ((), (str(choice), choice.names)), lambda known, _: Choice(*known)
)


class Mixed(eqx.Module):
    """A choice that differs between the runs of a program: the index of the name that a run has chosen."""

    index: float | Float[Array, "..."]
    """A whole number, kept as a float like every other array-valued setting."""
    names: tuple[str, ...] = eqx.field(static=True)


def choice(default: str, *names: str, apart: tuple[str, ...] = ()) -> Any:
    """A module field that takes one of `names`; runs that differ in it may share a program.

    Names in `apart` never share one with the others: for readings that are another program altogether.
    """

    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return Choice(value, names if value in names else (value,))

    assert default in names + apart
    return eqx.field(default=default, converter=convert, metadata={"allowed": None})


def choose(chosen: str | Mixed, readings: dict[str, Callable], *operands: Any) -> Any:
    """Apply the chosen one of several functions, which take and return arrays of the same shapes."""
    if isinstance(chosen, str):
        return readings[chosen](*operands)
    return jax.lax.switch(jnp.asarray(chosen.index, int), [readings[name] for name in chosen.names], *operands)


class Chosen(NamedTuple):
    """Settings seen as a program and what they choose in it."""

    program: tuple[Any, ...]
    """What settings must have in common to share a program: their static structure, whatever they choose."""
    names: tuple[str | None, ...]
    """The choice at each place among the leaves; None for a number."""


def chosen_by(settings: eqx.Module) -> Chosen:
    """The program of settings, and their choices in it."""
    leaves, structure = _flatten(settings)
    choices = [leaf if type(leaf) is Choice else None for leaf in leaves]
    return Chosen((structure, *(choice.names for choice in choices if choice is not None)), tuple(choices))


def program_of(settings: eqx.Module) -> tuple[Any, ...]:
    """What settings must have in common to share a program (`Chosen.program`)."""
    return chosen_by(settings).program


def mixed_choices(settings: Iterable[eqx.Module]) -> frozenset[int]:
    """The choices in which settings of one program differ, as their places among the leaves."""
    return differing({chosen_by(one).names for one in settings})


def differing(names: Iterable[tuple[str | None, ...]]) -> frozenset[int]:
    """The places at which choices differ that settings of one program make (`Chosen.names`)."""
    return frozenset(place for place, there in enumerate(zip(*names, strict=True)) if len(set(there)) > 1)


def mix[M: eqx.Module](settings: M, places: frozenset[int]) -> M:
    """The same settings with the choices at `places` (from `mixed_choices`) as indices."""
    if not places:
        return settings
    leaves, structure = _flatten(settings)
    for place in places:
        leaves[place] = Mixed(float(leaves[place].names.index(leaves[place])), leaves[place].names)
    return jax.tree.unflatten(structure, leaves)


def _flatten(settings: eqx.Module) -> tuple[list[Any], Any]:
    # `isinstance` would ask each module for its class, which Equinox answers in Python.
    return jax.tree.flatten(settings, is_leaf=lambda node: type(node) is Choice)
