"""The contract of `Guidance`, as checks of a class."""

import functools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from morphorl.dynamics.conformance.findings import SETTINGS, Finding, made_of, raise_problems, tried, undocumented
from morphorl.dynamics.guidance.base import Guidance, Signal


def check_guidance(cls: type[Guidance]) -> None:
    """Test a class of guidance, with its settings as they are by default.

    Raises:
        ConformanceError: if it does not keep the contract; with a sentence for each check that failed.
    """
    raise_problems(cls.__name__, guidance_findings(cls))


def guidance_findings(cls: type[Guidance]) -> list[Finding]:
    """Every check of a class of guidance."""
    made, problem = made_of(cls)
    findings = [Finding(SETTINGS, problem or undocumented(cls))]
    if made is None:
        return findings
    return findings + [Finding(words, tried(check, made)) for words, check in CHECKS.items()]


SIGNAL = Signal(jnp.array(0.5), jnp.full((4, 2), 0.25))


def a_term_has_the_shape_of_the_state(rule: Guidance) -> str | None:
    """A term is an array like the state, compiled or not, with a signal or without."""
    for state in (jnp.ones((4, 2)), jnp.ones(3)):
        for signal, read in ((None, False), (SIGNAL, False), (SIGNAL, np.shape(state) == (4, 2))):
            term = jax.jit(functools.partial(rule, read=read))(state, signal)
            if np.shape(term) != np.shape(state):
                return f"returns shape {np.shape(term)} for a state of shape {np.shape(state)}; must be the same."
            if not bool(jnp.isfinite(term).all()):
                return "returns a term that is not finite for a state of ones."
    return None


def strength_0_is_nothing(rule: Guidance) -> str | None:
    """Strength 0 switches a rule off."""
    off = eqx.tree_at(lambda one: one.strength, rule, 0.0)
    state = jnp.linspace(-1.0, 1.0, 8).reshape(4, 2)
    silent = all(bool((off(state, signal, read=True) == 0).all()) for signal in (None, SIGNAL))
    return None if silent else "gives a term at strength 0; the strength must be a factor of all that it gives."


CHECKS: dict[str, Callable[[Guidance], str | None]] = {
    "a term of the state's shape": a_term_has_the_shape_of_the_state,
    "strength 0 is nothing": strength_0_is_nothing,
}
