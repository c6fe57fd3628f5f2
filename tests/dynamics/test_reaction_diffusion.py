"""The cell against exact solutions, plain NumPy, and the symmetries of its couplings."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from helpers.acting import small
from helpers.strategies import settable
from morphorl.config.choices import mix, mixed_choices
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.base import Signal, nothing
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.guidance.stabilise import Stabilise
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion, couple, drive, emphasise
from morphorl.studies.batches import programs
from morphorl.studies.run import Run

SHAPE = (4, 3)
X = np.array([0.5, -3.0, 1.0, 2.0], np.float32)
COUPLINGS = ("mean", "ring", "lattice")
"""Those within a state; `partner` ties one state to the other."""
EMPHASES = ("linear", "softmax", "winner")


@jax.jit
def step(system, state, observation, guidance=None, signal=None):
    """The state after one step, and its readout."""
    state = system.step(state, observation, nothing if guidance is None else partial(guidance, signal=signal))
    return state, system.read(state, observation)


seeds = st.integers(0, 2**16)


def noise(seed, scale=1.0):
    generator = np.random.default_rng(seed)
    return ActivatorInhibitor(*(jnp.asarray(scale * generator.normal(size=SHAPE), jnp.float32) for _ in range(2)))


def only_decay(**more):
    still = dict.fromkeys(
        ("activator_diffusion", "inhibitor_diffusion", "activator_production", "inhibitor_production"), 0.0
    )
    return ReactionDiffusion(**still | more)


# --- One step ---------------------------------------------------------------------------------------------------------


@given(seed=seeds, strength=settable(-1, 1), dt=st.floats(0.1, 1), kappa=settable(-1, 1))
@settings(max_examples=25, deadline=None)
def test_one_step_is_the_documented_equation(seed, strength, dt, kappa):
    cell = ReactionDiffusion(
        activator_diffusion=0.11,
        inhibitor_diffusion=0.37,
        activator_production=0.13,
        inhibitor_production=0.07,
        activator_decay=0.17,
        inhibitor_decay=0.23,
        drive=kappa,
        dt=dt,
        epsilon=0.19,
    )
    before = noise(seed)
    (a, h), _ = step(cell, before, X, Blind(strength=strength))

    a0, h0 = (np.asarray(u, float) for u in before)
    source = X[:, None] * np.array([[1.0, 0.0, -1.0]])
    production = 0.13 * a0**2 / (np.abs(h0) + 0.19)
    da = 0.11 * (a0.mean() - a0) + production - 0.17 * a0 + strength * np.sign(a0) + kappa * source
    dh = 0.37 * (h0.mean() - h0) + 0.07 * a0**2 - 0.23 * h0 + strength * np.sign(h0)
    assert_allclose(a, np.clip(a0 + dt * da, -10, 10), atol=1e-5)
    assert_allclose(h, np.clip(h0 + dt * dh, -10, 10), atol=1e-5)


@pytest.mark.optimised
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_blind_guidance_of_strength_zero_is_no_guidance(seed):
    for guidance in (Blind(0.0), NoGuidance(0.7)):
        (state, readout), (same_state, same_readout) = (
            step(ReactionDiffusion(), noise(seed), X, g) for g in (guidance, None)
        )
        assert_array_equal(state, same_state)
        assert_array_equal(readout, same_readout)


def test_blind_guidance_pushes_both_states_away_from_zero():
    (a, h), _ = step(only_decay(), noise(0), X, Blind(strength=0.3))
    (a0, h0), _ = step(only_decay(), noise(0), X)
    assert_allclose(a - a0, 0.3 * np.sign(noise(0).activator), atol=1e-6)
    assert_allclose(h - h0, 0.3 * np.sign(noise(0).inhibitor), atol=1e-6)


def test_the_sign_of_zero_gets_no_push():
    zero = ActivatorInhibitor(jnp.zeros(SHAPE), jnp.zeros(SHAPE))
    after, readout = step(ReactionDiffusion(), zero, X, Blind(strength=5.0))
    assert_array_equal(after, zero)
    assert_array_equal(readout, np.zeros(3))


@pytest.mark.parametrize("start", [2.0, 0.1, -2.0, -0.1])
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_without_diffusion_and_production_guidance_latches_as_explicit_euler_does(start, dt):
    strength, decays = 0.06, (0.1, 0.25)
    with jax.enable_x64(True):
        cell = only_decay(activator_decay=decays[0], inhibitor_decay=decays[1], dt=dt)
        state = ActivatorInhibitor(*(jnp.full(SHAPE, start) for _ in range(2)))
        for n in range(1, 60):
            state, _ = step(cell, state, jnp.asarray(X, float), Blind(strength=strength))
            for u, decay in zip(state, decays, strict=True):
                latch = np.sign(start) * strength / decay
                assert_allclose(u, latch + (start - latch) * (1 - decay * dt) ** n, rtol=1e-12)


def test_the_step_converges_to_the_analytic_solution_at_first_order():
    strength, decay, start, end = 0.06, 0.1, 2.0, 8.0
    exact = strength / decay + (start - strength / decay) * np.exp(-decay * end)

    def error(dt):
        cell = only_decay(activator_decay=decay, dt=dt)
        state = ActivatorInhibitor(*(jnp.full(SHAPE, start) for _ in range(2)))
        for _ in range(round(end / dt)):
            state, _ = step(cell, state, jnp.asarray(X, float), Blind(strength=strength))
        return np.abs(state.activator - exact).max()

    with jax.enable_x64(True):
        errors = np.array([error(dt) for dt in (0.2, 0.1, 0.05)])
    assert errors[-1] < 2e-3
    assert_allclose(np.log2(errors[:-1] / errors[1:]), 1.0, atol=0.05)


positive = st.floats(0.05, 0.5)


@given(positive, positive, positive, positive)
@settings(max_examples=25, deadline=None)
def test_the_positive_steady_state_stays(activator_production, inhibitor_production, activator_decay, inhibitor_decay):
    rates = {
        "activator_production": activator_production,
        "inhibitor_production": inhibitor_production,
        "activator_decay": activator_decay,
        "inhibitor_decay": inhibitor_decay,
    }
    with jax.enable_x64(True):
        cell = ReactionDiffusion(**rates, epsilon=0.0, bound=np.inf, initial="positive", initial_scale=0.0)
        start = cell.init(jax.random.key(0), SHAPE)
        after, _ = step(cell, start, jnp.asarray(X, float))
    assert np.min(start) > 0
    assert_allclose(after, start, rtol=1e-12)


# --- Initial state ----------------------------------------------------------------------------------------------------


def test_signed_noise_has_the_standard_deviation_asked_for_and_differs_between_the_states():
    a, h = ReactionDiffusion(initial_scale=0.3).init(jax.random.key(1), (100, 100))
    for u in (a, h):
        assert abs(u.mean()) < 0.02
        assert_allclose(u.std(), 0.3, rtol=0.03)
    assert abs(np.corrcoef(a.ravel(), h.ravel())[0, 1]) < 0.05


def test_positive_noise_is_relative_to_the_steady_state():
    cell = ReactionDiffusion(initial="positive", initial_scale=0.3)
    for u, steady in zip(cell.init(jax.random.key(1), (100, 100)), cell.steady_state(), strict=True):
        assert_allclose(u.mean(), steady, rtol=0.02)
        assert_allclose(u.std(), 0.3 * steady, rtol=0.03)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_an_initial_scale_of_zero_stays_exactly_zero_under_any_guidance(coupling):
    cell = ReactionDiffusion(initial_scale=0.0, coupling=coupling)
    zero = cell.init(jax.random.key(0), SHAPE)
    assert_array_equal(zero, np.zeros((2, *SHAPE)))
    observations = jnp.asarray(np.random.default_rng(0).normal(size=(300, 4)), jnp.float32)

    @jax.jit
    @jax.vmap
    def live(guidance):
        return jax.lax.scan(lambda state, x: step(cell, state, x, guidance), zero, observations)

    last, readouts = live(sweep(0.0, 0.1, 1.0, 1e6, -3.0))
    assert_array_equal(last, np.zeros((2, 5, *SHAPE)))
    assert_array_equal(readouts, np.zeros((5, 300, 3)))


# --- Coupling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (5, 1), (1, 2), (1, 1)])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_each_coupling_conserves_the_mean_and_is_a_stable_diffusion(coupling, shape):
    size = np.prod(shape)
    entries = jnp.eye(size).reshape(size, *shape)
    matrix = np.stack([couple(coupling, entry).ravel() for entry in entries])
    assert_allclose(matrix.sum(axis=1), 0, atol=1e-6)  # what leaves an entry arrives at the others
    assert_allclose(matrix.sum(axis=0), 0, atol=1e-6)  # nothing moves in a uniform state
    assert_allclose(matrix, matrix.T, atol=1e-6)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert eigenvalues.min() > -2 - 1e-5
    assert eigenvalues.max() < 1e-5


def test_each_coupling_spreads_to_the_neighbours_that_it_names():
    spike = jnp.zeros((3, 4)).at[1, 3].set(12.0)
    assert_allclose(couple("mean", spike), np.ones((3, 4)) - np.asarray(spike), atol=1e-6)
    assert_allclose(couple("ring", spike), [[0, 0, 0, 0], [0, 0, 6, -12], [6, 0, 0, 0]], atol=1e-6)
    assert_allclose(couple("lattice", spike), [[0, 0, 0, 3], [3, 0, 3, -12], [0, 0, 0, 3]], atol=1e-6)


def check_equivariance(coupling, move, seed):
    cell, guidance = ReactionDiffusion(coupling=coupling, activator_diffusion=0.3), Blind(strength=0.1)
    moved_first, _ = step(cell, ActivatorInhibitor(*map(move, noise(seed))), X, guidance)
    moved_last = ActivatorInhibitor(*map(move, step(cell, noise(seed), X, guidance)[0]))
    assert_allclose(moved_first, moved_last, rtol=1e-5, atol=1e-6)


@given(seed=seeds, shift=st.integers(0, 11))
@settings(max_examples=10, deadline=None)
def test_a_rolled_ring_evolves_as_the_ring_does(seed, shift):
    check_equivariance("ring", lambda u: jnp.roll(u, shift), seed)


@given(seed=seeds, rows=st.integers(0, 3), columns=st.integers(0, 2))
@settings(max_examples=10, deadline=None)
def test_a_rolled_lattice_evolves_as_the_lattice_does(seed, rows, columns):
    check_equivariance("lattice", lambda u: jnp.roll(u, (rows, columns), (0, 1)), seed)


@given(seed=seeds, order=st.permutations(range(12)))
@settings(max_examples=10, deadline=None)
def test_permuted_entries_evolve_alike_where_everyone_is_a_neighbour(seed, order):
    check_equivariance("mean", lambda u: u.ravel()[jnp.array(order)].reshape(SHAPE), seed)


def test_partners_conserve_their_sum_and_relax_exponentially_towards_each_other():
    diffusion, dt = 0.15, 0.5
    cell = only_decay(activator_decay=0.0, inhibitor_decay=0.0, coupling="partner", dt=dt, bound=np.inf)
    cell = dataclasses.replace(cell, activator_diffusion=diffusion, inhibitor_diffusion=diffusion)
    before = after = noise(0)
    for _ in range(7):
        after, _ = step(cell, after, X)
    assert_allclose(after.activator + after.inhibitor, before.activator + before.inhibitor, atol=1e-6)
    shrunk = (before.activator - before.inhibitor) * (1 - 2 * diffusion * dt) ** 7
    assert_allclose(after.activator - after.inhibitor, shrunk, atol=1e-6)


def test_a_partner_is_the_other_state_and_is_needed():
    a, h = noise(1)
    assert_array_equal(couple("partner", a, h), h - a)
    with pytest.raises(ValueError, match="needs the other state"):
        couple("partner", a)


# --- Gate, and decays below 0 -----------------------------------------------------------------------------------------


def test_a_gate_advances_each_row_by_its_share_of_a_step_and_nothing_moves_where_the_weight_is_0():
    x = jnp.array([0.5, 0.0, -2.0, 1.0])
    before, guidance = noise(2), Blind(strength=0.1)
    free, _ = step(ReactionDiffusion(), before, x, guidance)
    gated, _ = step(ReactionDiffusion(gate="rows"), before, x, guidance)
    for start, whole, part in zip(before, free, gated, strict=True):
        assert_array_equal(part[1], start[1])
        assert_allclose(part - start, (whole - start) * np.array([[0.25], [0], [1], [0.5]]), atol=1e-6)
    unseen, _ = step(ReactionDiffusion(gate="rows"), before, jnp.zeros(4), guidance)
    assert_array_equal(unseen, step(ReactionDiffusion(), before, jnp.zeros(4), guidance)[0])


@pytest.mark.optimised
def test_a_mix_of_gates_is_each_of_them_alone():
    cells = [ReactionDiffusion(gate="none", coupling="partner"), ReactionDiffusion(gate="rows")]
    places = mixed_choices(cells)
    mixed = jax.tree.map(lambda *u: jnp.stack(u), *(jax.tree.map(jnp.asarray, mix(cell, places)) for cell in cells))
    together = jax.jit(jax.vmap(step, in_axes=(0, None, None)))(mixed, noise(2), X)
    for i, cell in enumerate(cells):
        for one, many in zip(jax.tree.leaves(step(cell, noise(2), X)), jax.tree.leaves(together), strict=True):
            assert_array_equal(one, many[i])


def test_a_negative_decay_makes_the_pattern_grow_on_its_own_up_to_the_bound():
    cell = only_decay(activator_decay=-0.1, inhibitor_decay=-0.2, bound=3.0)
    after, _ = step(cell, noise(0), X)
    for u, grown, rate in zip(noise(0), after, (1.1, 1.2), strict=True):
        assert_allclose(grown, np.clip(rate * u, -3, 3), rtol=1e-6)


@pytest.mark.parametrize(
    ("rates", "refused"),
    [
        ({"activator_decay": -0.1}, "dynamics.activator_decay = -0.1"),
        ({"activator_decay": 0.0}, "dynamics.activator_decay = 0.0"),
        ({"inhibitor_decay": -0.2}, "dynamics.inhibitor_decay = -0.2"),
        ({"inhibitor_production": -0.1}, "dynamics.inhibitor_decay = 0.2"),
    ],
)
def test_without_a_positive_steady_state_there_is_nothing_positive_to_start_from(rates, refused):
    with pytest.raises(SettingError, match=rf"{refused}: must .* a\*, h\* > 0 to start from"):
        ReactionDiffusion(initial="positive", **rates)
    assert ReactionDiffusion(initial="signed", **rates).initial == "signed"
    turned = ReactionDiffusion(initial="positive", activator_production=-0.1, activator_decay=-0.1)
    assert min(turned.steady_state()) > 0


# --- Stability modulated by reward -----------------------------------------------------------------------------------


@pytest.mark.parametrize("surprise", [-1.5, 0.0, 0.7])
def test_a_surprise_changes_the_decay_of_both_states(surprise):
    rule, decays = Stabilise(strength=0.3, sensitivity=2.0), (0.1, 0.25)
    with jax.enable_x64(True):
        cell = only_decay(activator_decay=decays[0], inhibitor_decay=decays[1])
        before = ActivatorInhibitor(*(jnp.asarray(u, float) for u in noise(0)))
        after, _ = step(cell, before, jnp.asarray(X, float), rule, Signal(jnp.array(surprise)))
    for start, end, decay in zip(map(np.asarray, before), after, decays, strict=True):
        assert_allclose(end, (1 - decay + 0.3 * np.tanh(2 * surprise)) * start, rtol=1e-12)


# --- Readout, drive, bound --------------------------------------------------------------------------------------------


def weights(emphasis, x):
    if emphasis == "linear":
        return x
    if emphasis == "softmax":
        return np.exp(np.abs(x)) / np.exp(np.abs(x)).sum()
    return (np.arange(len(x)) == np.abs(x).argmax()).astype(float)


@pytest.mark.parametrize("source", ["activator", "difference"])
@pytest.mark.parametrize("emphasis", EMPHASES)
def test_the_readout_is_the_weighted_sum_of_the_rows(emphasis, source):
    cell = ReactionDiffusion(emphasis=emphasis, readout=source)
    after, readout = step(cell, noise(3), X, Blind(strength=0.1))
    a, h = map(np.asarray, after)
    assert_allclose(readout, weights(emphasis, X) @ (a if source == "activator" else a - h), rtol=1e-5)


def test_the_winner_takes_all_whatever_its_sign():
    assert_array_equal(emphasise("winner", jnp.asarray(X)), [0, 1, 0, 0])


def test_the_drive_tells_actions_apart_and_feeds_the_activator_alone():
    zero = ActivatorInhibitor(jnp.zeros(SHAPE), jnp.zeros(SHAPE))
    (a, h), readout = step(ReactionDiffusion(drive=0.2, dt=0.5), zero, X)
    assert_allclose(a, 0.1 * np.outer(X, [1, 0, -1]), atol=1e-6)
    assert_array_equal(h, np.zeros(SHAPE))
    assert np.ptp(readout) > 1
    assert_allclose(drive(jnp.asarray(X), 2), np.outer(X, [1, -1]), atol=1e-6)


def test_the_bound_acts_on_both_states_and_both_sides():
    free, _ = step(ReactionDiffusion(bound=np.inf), noise(0, scale=3), X, Blind(strength=0.5))
    bounded, _ = step(ReactionDiffusion(bound=1.5), noise(0, scale=3), X, Blind(strength=0.5))
    assert all(u.min() < -1.5 and u.max() > 1.5 for u in free)
    assert_allclose(bounded, np.clip(free, -1.5, 1.5), rtol=1e-6)


def test_the_diagnosis_is_the_share_of_entries_that_the_bound_holds():
    state = ActivatorInhibitor(jnp.array([[2.0, 0.5], [-2.0, 0.0]]), jnp.array([[1.9, 0.0], [2.0, -1.9]]))
    assert ReactionDiffusion(bound=2.0).diagnose(state) == 3 / 8
    assert ReactionDiffusion(bound=np.inf).diagnose(state) == 0


# --- Many cells -------------------------------------------------------------------------------------------------------


def population(seed, cells=5):
    return ActivatorInhibitor(
        *(jnp.stack(u, axis=-1) for u in zip(*(noise(seed + i) for i in range(cells)), strict=True))
    )


@given(seed=seeds, share=settable(0, 1))
@settings(max_examples=10, deadline=None)
def test_exchange_moves_towards_the_mean_of_the_environments_and_conserves_it(seed, share):
    before = population(seed)
    for u, after in zip(before, ReactionDiffusion(population=share).exchange(before), strict=True):
        mean = u.mean(axis=-1, keepdims=True)
        assert_allclose(after.mean(axis=-1), mean[..., 0], atol=1e-6)
        assert_allclose(after - mean, (1 - share) * (u - mean), atol=1e-6)


def test_full_exchange_makes_all_environments_equal_and_none_leaves_them_alone():
    for u in ReactionDiffusion(population=1.0).exchange(population(0)):
        assert_allclose(u - u[..., :1], 0, atol=1e-6)
    assert_array_equal(ReactionDiffusion(population=0.0).exchange(population(0)), population(0))


def sweep(*strengths):
    return jax.tree.map(lambda *s: jnp.array(s), *(Blind(strength=s) for s in strengths))


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_vmapped_sweep_of_strengths_is_a_loop_over_them(coupling):
    cell, strengths = ReactionDiffusion(coupling=coupling), (0.0, 0.1, 0.3, -0.2)
    swept = jax.jit(jax.vmap(step, in_axes=(None, None, None, 0)))(cell, noise(0), X, sweep(*strengths))
    for i, strength in enumerate(strengths):
        (a, h), readout = step(cell, noise(0), X, Blind(strength=strength))
        for one, many in zip((a, h, readout), jax.tree.leaves(swept), strict=True):
            assert_allclose(many[i], one, rtol=1e-5, atol=1e-6)


# --- Frozen patterns --------------------------------------------------------------------------------------------------


def test_a_frozen_pattern_never_moves_whatever_pushes_it():
    cell = ReactionDiffusion(dt=0.0, initial_scale=0.5, drive=1.0)
    start = cell.init(jax.random.key(0), SHAPE)
    state = start
    for _ in range(5):
        state, readout = step(cell, state, X, Blind(strength=0.3))
    for one, other in zip(start, state, strict=True):
        assert_array_equal(one, other)
    assert_allclose(readout, X @ start.activator, rtol=1e-6)


def test_frozen_patterns_zeros_and_cells_share_one_program():
    arms = [
        small(),
        small(dynamics=ReactionDiffusion(dt=0.0, initial_scale=1.0)),
        small(dynamics=ReactionDiffusion(initial_scale=0.0)),
        small(blend=Blend(weight=0.0)),
    ]
    assert len(programs(Run(str(i), arm, 0, 0) for i, arm in enumerate(arms))) == 1
