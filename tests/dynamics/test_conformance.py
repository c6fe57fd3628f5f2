"""Conformance: all that come along keep the contract, and each way to break it is told in one sentence."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.config import kinds
from morphorl.config.fields import COUNT, FINITE, FRACTION, POSITIVE, setting
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.conformance import rules, systems
from morphorl.dynamics.conformance.findings import ConformanceError
from morphorl.dynamics.conformance.rules import check_guidance
from morphorl.dynamics.conformance.systems import check_dynamics, dynamics_findings
from morphorl.dynamics.guidance.base import Guidance, nothing
from morphorl.dynamics.guidance.blind import Blind

# --- Those that come along --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", kinds.names(Dynamics))
def test_every_system_keeps_the_contract(name):
    check_dynamics(kinds.resolve(Dynamics, name))


@pytest.mark.parametrize("name", kinds.names(Guidance))
def test_every_rule_keeps_the_contract(name):
    check_guidance(kinds.resolve(Guidance, name))


# --- Systems that break it --------------------------------------------------------------------------------------------


class Fine(Dynamics):
    """Nothing is wrong with it."""

    rate: float = setting(0.1, FRACTION)
    """How fast it follows."""

    def init(self, key, shape):
        return 0.1 * jax.random.normal(key, shape)

    def step(self, state, observation, guide):
        return jnp.clip(state + self.rate * (observation[:, None] - state) + guide(state), -10, 10)

    def read(self, state, observation):
        return state.sum(0)


class WrongShape(Fine):
    def read(self, state, observation):
        return state


class AllActionsAlike(Fine):
    def init(self, key, shape):
        return jnp.zeros(shape)


class Callback(Fine):
    def step(self, state, observation, guide):
        jax.debug.print("{}", state[0, 0])
        return super().step(state, observation, guide)


class KeyIgnored(Fine):
    def init(self, key, shape):
        return jnp.asarray(np.random.default_rng().normal(size=shape), jnp.float32)


class NotReset(Fine):
    def init(self, key, shape):
        return KEPT[-1] if KEPT else super().init(key, shape)

    def step(self, state, observation, guide):
        after = super().step(state, observation, guide)
        if not isinstance(after, jax.core.Tracer):
            KEPT.append(after)
        return after


KEPT = []
"""What `NotReset` hides outside its state."""


class Explodes(Fine):
    def step(self, state, observation, guide):
        return state + jnp.exp(observation[:, None]) * state


class GuidedAtZero(Fine):
    def step(self, state, observation, guide):
        return super().step(state, observation, guide) + (0 if guide is nothing else 0.01)


class Undocumented(Fine):
    other: float = setting(0.1, FRACTION)
    another: float = setting(0.1, FRACTION)
    """Said."""


class Branches(Fine):
    def step(self, state, observation, guide):
        return state if state.sum() > 0 else super().step(state, observation, guide)


class BranchesOnItsNumber(Fine):
    def step(self, state, observation, guide):
        return super().step(state, observation, guide) if self.rate > 0 else state


class NumberAsSize(Fine):
    units: int = setting(2, COUNT)
    """How many there are; it should be static."""

    def read(self, state, observation):
        return state.sum(0) + jnp.zeros(self.units).sum()


class DoublePrecision(Fine):
    def init(self, key, shape):
        return np.zeros(shape)


class InPlace(Fine):
    def init(self, key, shape):
        return np.zeros(shape, np.float32)

    def step(self, state, observation, guide):
        state[0] += 1
        return state


class NoDefault(Fine):
    needed: float = setting(2.0, FRACTION)
    """Its default is none of what it allows."""


class AnotherShape(Fine):
    def step(self, state, observation, guide):
        return jnp.concatenate([state, state])


class NotFinite(Fine):
    power: float = setting(0.0, FINITE)
    """Whose gradient is that of a root at 0."""

    def read(self, state, observation):
        return state.sum(0) + jnp.sqrt(self.power)


class TogetherOtherwise(Fine):
    def advance(self, states, observations, given):
        states, readouts = super().advance(states, observations, given)
        return states, 2 * readouts


class ForgetsToExchange(Fine):
    def exchange(self, states, weights):
        return jax.tree.map(lambda u: u + 1.0, states)

    def advance(self, states, observations, given):
        states, readouts = super().advance(states, observations, given)
        return jax.tree.map(lambda u: u - 1.0, states), readouts


class ConstantsLearn(Fine):
    speed: float = setting(0.1, POSITIVE)
    """What its weights are made of."""

    def constants(self, key, shape):
        return self.speed * jnp.ones(shape[0])


class GuidesSomethingElse(Fine):
    def step(self, state, observation, guide):
        return jnp.clip(state + self.rate * (observation[:, None] - state) + guide(state, read=True), -10, 10)


class Raises(Fine):
    def init(self, key, shape):
        raise RuntimeError("no memory left")


BROKEN = [
    (WrongShape, r"read returns shape \(4, 2\); must be \(2,\), one number for each action"),
    (AllActionsAlike, "read gives the same number for all actions, and a softmax ignores what all have in common"),
    (Callback, "calls Python from within the program .*; take the callback .* out"),
    (KeyIgnored, "init gives different states for the same key; draw with jax.random and `key`"),
    (NotReset, "init gives another state after some steps than before; nothing may be kept outside the state"),
    (Explodes, r"is not finite after 200 steps under observations of .*; keep states within a bound"),
    (GuidedAtZero, "γ = 0 does something else than no guidance"),
    (Undocumented, "other: must have a docstring below, which `--help` and the error messages show"),
    (Branches, "branches in Python on a number that a compiled program does not know yet"),
    (DoublePrecision, "init returns an array of float64; must be float32"),
    (InPlace, "step changes the state that it was given in place; it must return a new one"),
    (NoDefault, r"cannot be made without arguments \(dynamics.needed = 2.0: must be a number from 0 to 1"),
    (AnotherShape, r"step returns an array of shape \(8, 2\) where init has one of \(4, 2\)"),
    (NotFinite, "power: the gradient is not finite, so that it could not be learned; or say learned='fixed'"),
    (TogetherOtherwise, r"many environments at once \(advance\) do not do what step and read do for each"),
    (BranchesOnItsNumber, "branches in Python on a number that a compiled program does not know yet"),
    (NumberAsSize, "takes it for a size, or hands it to NumPy; .* say static=True of a setting"),
    (ForgetsToExchange, r"many environments at once \(advance\) do not do what step and read do for each"),
    (ConstantsLearn, "speed: constants depend on what could be learned, and are drawn only once"),
    (GuidesSomethingElse, r"asks guide\(u, read=True\) for a state that is not read out as observation @ u"),
    (Raises, "raises RuntimeError: no memory left"),
]


def test_a_system_with_nothing_wrong_passes_every_check():
    findings = dynamics_findings(Fine)
    assert [finding.problem for finding in findings] == [None] * len(findings)
    assert len(findings) == 1 + len(systems.FUNDAMENTAL) + len(systems.FURTHER)


@pytest.mark.parametrize(("cls", "sentence"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_system_is_told_what_to_change_and_nothing_else(cls, sentence):
    KEPT.clear()
    with pytest.raises(
        ConformanceError, match=rf"(?s){cls.__name__} does not keep the contract:\n- .*{sentence}"
    ) as told:
        check_dynamics(cls)
    assert len(str(told.value).splitlines()) == 2


def test_a_finding_says_which_check_failed_and_those_that_need_it_are_left_out():
    *passed, failed = dynamics_findings(WrongShape)
    assert all(finding.problem is None for finding in passed)
    assert failed.check.startswith("readout: one number for each action")


# --- Rules that break it ----------------------------------------------------------------------------------------------


class Scalar(Blind):
    def __call__(self, state, signal=None, *, read=False):
        return self.strength * jnp.sign(state).sum()


class Always(Blind):
    def __call__(self, state, signal=None, *, read=False):
        return 0.1 + self.strength * state


class Undefined(Blind):
    def __call__(self, state, signal=None, *, read=False):
        return self.strength / (1 - state)


class DividesByNothing(Blind):
    def __call__(self, state, signal=None, *, read=False):
        assert signal is not None, "no signal"
        return self.strength * state


BROKEN_RULES = [
    (Scalar, r"returns shape \(\) for a state of shape \(4, 2\); must be the same"),
    (Always, "gives a term at strength 0; the strength must be a factor of all that it gives"),
    (Undefined, "returns a term that is not finite for a state of ones"),
    (DividesByNothing, "raises AssertionError: no signal"),
]


@pytest.mark.parametrize(("cls", "sentence"), BROKEN_RULES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_rule_is_told_what_to_change(cls, sentence):
    with pytest.raises(ConformanceError, match=rf"(?s){cls.__name__} does not keep the contract:\n- .*{sentence}"):
        check_guidance(cls)


def test_every_check_is_said_in_words_and_explained():
    for checks in (systems.FUNDAMENTAL, systems.FURTHER, rules.CHECKS):
        assert all(words and inspect.getdoc(check) for words, check in checks.items())
