"""The Gierer-Meinhardt field against exact solutions, its own linear theory, and py-pde."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from helpers.strategies import settable
from morphorl.config.fields import SettingError
from morphorl.dynamics.pde import patterns, sweep
from morphorl.dynamics.pde.gierer_meinhardt import (
    PRESETS,
    GiererMeinhardtEquation,
    Grid,
    advance,
    perturbed,
    resample,
    simulate,
    solver,
)
from morphorl.dynamics.pde.linear_theory import (
    critical_strength,
    fastest_allowed,
    fastest_mode,
    forms_pattern,
    growth_rate,
    guided,
    jacobian,
    steady_state,
    unstable_band,
)

SPOTS, STRIPES = PRESETS["spots"], PRESETS["stripes"]
LINE, SQUARE = Grid(1, 64, 32.0), Grid(2, 32, 32.0)
GRIDS = [Grid(1, 64, 32.0), Grid(1, 33, 20.0), Grid(2, 16, 32.0), Grid(2, 9, 8.0)]
STILL = {"activator_production": 0.0, "inhibitor_production": 0.0, "activator_decay": 0.0, "inhibitor_decay": 0.0}
NAN = float("nan")
identify = str


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def uniform(equation, grid):
    return perturbed(steady_state(equation), grid, jax.random.key(0), 0.0)


def noisy(equation, grid, seed=0, scale=0.01):
    return perturbed(steady_state(equation), grid, jax.random.key(seed), scale)


def smooth(grid, scale=0.2):
    """A few long waves around 1, in both fields, the same function on every grid of this length."""
    places = np.arange(grid.size) * 2 * np.pi / grid.size
    waves = np.sin(places + 0.3) + 0.7 * np.cos(2 * places) + 0.4 * np.sin(3 * places + 1)
    if grid.dims == 2:
        waves = waves[:, None] * (1 + 0.5 * np.cos(places - 0.7))
    return jnp.asarray(1 + scale * np.stack([waves, 0.5 * waves]))


# --- Exact solutions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", GRIDS, ids=identify)
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("strength", [0.0, 0.002, -0.001])
def test_the_steady_state_stays(grid, name, strength):
    # Stable without waves, so that rounding dies out as well: 300 units of time are three times 1/μ_a.
    equation = guided(GiererMeinhardtEquation(saturation=PRESETS[name].saturation, inhibitor_diffusion=0.005), strength)
    start = uniform(equation, grid)
    end, watch = simulate(equation, grid, start, 3.0, 100)
    assert_allclose(end, start, rtol=1e-12)
    assert [int(count) for count in watch] == [0, 0, 100]


@pytest.mark.parametrize("grid", GRIDS, ids=identify)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_pure_diffusion_decays_each_mode_exactly_and_conserves_the_mean(grid, order):
    equation = GiererMeinhardtEquation(0.03, 0.4, **STILL)
    start = jnp.asarray(np.random.default_rng(0).normal(1, 1, (2, *grid.shape)))
    end, _ = simulate(equation, grid, start, 7.0, 3, order)
    axes = tuple(range(1, 1 + grid.dims))
    modes = 2 * np.pi * np.fft.fftfreq(grid.size, grid.length / grid.size)
    square = sum(k**2 for k in np.meshgrid(*[modes] * grid.dims))
    decay = np.exp(-np.array([0.03, 0.4]).reshape(2, *[1] * grid.dims) * square * 21.0)
    assert_allclose(end, np.fft.ifftn(np.fft.fftn(start, axes=axes) * decay, axes=axes).real, atol=1e-12)
    assert_allclose(end.mean(axes), start.mean(axes), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_guidance_alone_goes_to_strength_over_decay_with_the_sign_of_the_start(order):
    strength, decay, time = 0.05, 0.1, 12.0
    equation = GiererMeinhardtEquation(0.0, 0.0, 0.0, 0.0, decay, 2 * decay, 0.0, strength, strength)
    start = jnp.asarray([[2.0, -3.0, 0.4, -0.1]] * 2)  # not 0, whose sign would be that of rounding
    end, _ = simulate(equation, Grid(1, 4, 1.0), start, time / 4, 4, order)
    for field, rate in zip(end, (decay, 2 * decay), strict=True):
        rest = strength / rate * np.sign(start[0])
        assert_allclose(field, rest + (start[0] - rest) * np.exp(-rate * time), rtol=1e-12, atol=1e-14)


def scheme_matrix(jacobian, linear, dt, order):
    """One step of the scheme on a linear reaction, from the schemes' published formulas with φ functions, per mode."""
    reaction, unit = jacobian - np.diag([-0.01, -0.02]), np.eye(2)
    z = linear * dt
    whole, half = np.diag(np.exp(z)), np.diag(np.exp(z / 2))
    if order == 2:
        one, two = np.diag((np.exp(z) - 1) / z), np.diag((np.exp(z) - 1 - z) / z**2)
        first = whole + dt * one @ reaction
        return first + dt * two @ reaction @ (first - unit)
    step = dt * np.diag((np.exp(z / 2) - 1) / z) @ reaction
    a = half + step
    b = half + step @ a
    c = half @ a + step @ (2 * b - unit)
    weights = (
        (-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3,
        (2 + z + np.exp(z) * (z - 2)) / z**3,
        (-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3,
    )
    first, middle, last = (dt * np.diag(weight) @ reaction for weight in weights)
    return whole + first + 2 * middle @ (a + b) + last @ c


@pytest.mark.parametrize(("order", "dt"), [(2, 5.0), (4, 20.0)])
@pytest.mark.parametrize("dims", [1, 2])
def test_a_seeded_eigenvector_grows_at_the_schemes_rate_and_at_the_theorys(order, dt, dims):
    grid = Grid(dims, 16, 2 * 8.789)  # its second wave is the fastest
    k = 2 * np.pi * 2 / grid.length
    matrix = scheme_matrix(np.asarray(jacobian(SPOTS)), np.array([-0.005, -0.2]) * k**2 - [0.01, 0.02], dt, order)
    values, vectors = np.linalg.eig(matrix)
    factor, vector = values.real.max(), vectors[:, values.real.argmax()].real
    wave = np.cos(k * np.arange(16) * grid.length / 16).reshape(-1, *[1] * (dims - 1)) * np.ones(grid.shape)
    start = 1.0 + 1e-6 * np.einsum("c,...->c...", vector, wave)
    end, _ = simulate(SPOTS, grid, jnp.asarray(start), dt, 10, order)
    grown = (np.asarray(end)[0] * wave).mean() / (wave**2).mean()
    rate = np.log(grown / (1e-6 * vector[0])) / (10 * dt)
    assert_allclose(rate, np.log(factor) / dt, rtol=1e-6)
    assert_allclose(rate, growth_rate(SPOTS, k), rtol=0.01)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_error_falls_with_the_schemes_order(order):
    # Strong reactions, so that the error of a few steps stands clear of rounding.
    equation = GiererMeinhardtEquation(0.02, 0.1, 0.5, 0.6, 0.4, 0.7, 0.1)
    start = smooth(LINE)
    exact, _ = simulate(equation, LINE, start, 1 / 256, 512)
    errors = [np.abs(simulate(equation, LINE, start, 2 / n, n, order)[0] - exact).max() for n in (16, 32, 64)]
    assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), order, atol=0.25)


@pytest.mark.parametrize(("dims", "old", "new"), [(1, 9, 32), (2, 32, 9), (2, 12, 17), (2, 8, 8)])
def test_a_resampled_field_is_the_same_function_on_other_sites(dims, old, new):
    # `smooth` has no wave shorter than a third of the line, which each of these grids holds.
    before, after = (smooth(Grid(dims, size, 32.0)) for size in (old, new))
    assert_allclose(resample(before, new), after, rtol=1e-12)


def test_resampling_keeps_the_shortest_wave_that_both_grids_hold_and_no_shorter_one():
    # On 8 sites the fourth wave alternates in sign; on 20 it is a cosine, and the fifth is too short for 8.
    alternating = jnp.asarray([[1.0, -1.0] * 4])
    cosine = jnp.asarray(np.cos(2 * np.pi * 4 * np.arange(20) / 20)[None])
    assert_allclose(resample(alternating, 20), cosine, atol=1e-12)
    assert_allclose(resample(cosine, 8), alternating, atol=1e-12)
    shorter = jnp.asarray(np.cos(2 * np.pi * 5 * np.arange(20) / 20)[None])
    assert_allclose(resample(shorter, 8), 0, atol=1e-12)


def test_the_error_in_space_falls_faster_than_any_power():
    """From 16 to 24 sites second order would gain 2.3, fourth order 5. All grids share the error in time."""
    coarse, finer, finest = (Grid(1, size, 16.0) for size in (16, 24, 72))
    ends = [simulate(SPOTS, grid, smooth(grid), 10.0, 100, 1)[0] for grid in (coarse, finer, finest)]
    errors = [np.abs(resample(end, 72) - ends[-1]).max() for end in ends[:2]]
    assert errors[0] > 30 * errors[1]


# --- Symmetries, batches, derivatives ---------------------------------------------------------------------------------


@given(shift=st.tuples(st.integers(0, 31), st.integers(0, 31)), strength=settable(-0.001, 0.003))
@settings(max_examples=10, deadline=None)
def test_shifting_the_start_shifts_the_result(shift, strength):
    start = noisy(SPOTS, SQUARE, scale=0.1)
    equation = guided(SPOTS, jnp.asarray(strength))
    end, _ = simulate(equation, SQUARE, start, 2.0, 50)
    shifted, _ = simulate(equation, SQUARE, jnp.roll(start, shift, (1, 2)), 2.0, 50)
    assert_allclose(shifted, jnp.roll(end, shift, (1, 2)), rtol=1e-10)


def test_a_field_that_varies_along_one_axis_is_the_line():
    line = noisy(STRIPES, LINE, scale=0.1)
    square = Grid(2, LINE.size, LINE.length)
    end, _ = simulate(STRIPES, LINE, line, 2.0, 100)
    for axis in (1, 2):
        wide = jnp.broadcast_to(jnp.expand_dims(line, axis), (2, *square.shape))
        flat, _ = simulate(STRIPES, square, wide, 2.0, 100)
        assert_allclose(flat, jnp.broadcast_to(jnp.expand_dims(end, axis), flat.shape), rtol=1e-10)


def test_parameters_and_seeds_batch_and_a_batch_equals_the_runs_alone():
    strengths, seeds = jnp.array([0.0, 0.001, 0.004]), jnp.arange(3)

    def run(strength, seed):
        equation = guided(SPOTS, strength)
        return simulate(equation, LINE, perturbed(steady_state(equation), LINE, jax.random.key(seed)), 5.0, 200)[0]

    assert_allclose(jax.vmap(run)(strengths, seeds), [run(*x) for x in zip(strengths, seeds, strict=True)], rtol=1e-9)


def test_derivatives_by_diffusivities_and_guidance_are_those_of_finite_differences():
    start = noisy(SPOTS, LINE, scale=0.1)

    def loss(diffusion, strength):
        equation = guided(SPOTS, strength)
        equation = eqx.tree_at(lambda e: e.inhibitor_diffusion, equation, diffusion)
        return (simulate(equation, LINE, start, 5.0, 40)[0] ** 2).mean()

    at = jnp.array(0.2), jnp.array(0.001)
    found = jax.grad(loss, argnums=(0, 1))(*at)
    for index, step in ((0, 1e-5), (1, 1e-7)):
        ahead, behind = ([x + sign * step * (i == index) for i, x in enumerate(at)] for sign in (1, -1))
        assert_allclose(found[index], (loss(*ahead) - loss(*behind)) / (2 * step), rtol=1e-5)


def test_single_precision_follows_double_precision():
    start = smooth(SQUARE)
    double, _ = simulate(SPOTS, SQUARE, start, 5.0, 100)
    with jax.enable_x64(False):
        single, _ = simulate(SPOTS, SQUARE, jnp.asarray(np.asarray(start), jnp.float32), 5.0, 100)
    assert single.dtype == jnp.float32
    assert_allclose(single, double, rtol=1e-4)


# --- Linear theory ----------------------------------------------------------------------------------------------------


@given(strength=settable(-0.002, 0.004), on=st.sampled_from(["both", "activator", "inhibitor"]), kappa=settable(0, 0.5))
@settings(max_examples=25, deadline=None)
def test_steady_state_and_jacobian_are_those_of_the_equation(strength, on, kappa):
    equation = guided(GiererMeinhardtEquation(saturation=kappa), jnp.asarray(strength), on)
    state = steady_state(equation)

    def rates(u):
        return equation.reaction(u[:, None])[:, 0] - jnp.array([0.01, 0.02]) * u

    assert bool((state > 0).all())
    assert_allclose(rates(state), 0, atol=1e-14)
    assert_allclose(jacobian(equation), jax.jacobian(rates)(state), rtol=1e-8)


def test_the_closed_forms_without_guidance():
    equation = GiererMeinhardtEquation(0.01, 0.5, 0.03, 0.05, 0.02, 0.07)
    assert_allclose(
        steady_state(equation), [0.07 * 0.03 / (0.02 * 0.05), 0.07 * 0.03**2 / (0.02**2 * 0.05)], rtol=1e-10
    )
    assert_allclose(jacobian(equation), [[0.02, -(0.02**2) / 0.03], [2 * 0.07 * 0.03 / 0.02, -0.07]], rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "wavenumber", "rate", "wavelength"),
    [("spots", 0.715, 0.00428, 8.79), ("stripes", 0.726, None, 8.66)],
)
def test_the_presets_have_the_known_wavelengths_and_rates(name, wavenumber, rate, wavelength):
    k = fastest_mode(PRESETS[name])
    assert_allclose(k, wavenumber, rtol=1e-3)
    assert_allclose(2 * np.pi / k, wavelength, rtol=1e-3)
    if rate:
        assert_allclose(growth_rate(PRESETS[name], k), rate, rtol=1e-3)


@pytest.mark.parametrize("equation", [SPOTS, STRIPES, guided(SPOTS, 0.003), guided(STRIPES, 0.0005)], ids=identify)
def test_the_fastest_mode_and_the_band_are_those_of_the_eigenvalues(equation):
    wavenumbers = np.linspace(0, 2, 2001)
    matrices = np.asarray(jacobian(equation)) - np.einsum("k,ij->kij", wavenumbers**2, np.diag([0.005, 0.2]))
    rates = np.linalg.eigvals(matrices).real.max(1)
    assert_allclose(growth_rate(equation, jnp.asarray(wavenumbers)), rates, atol=1e-12)
    assert_allclose(fastest_mode(equation), wavenumbers[rates.argmax()], atol=1e-3)
    assert_allclose(unstable_band(equation), wavenumbers[rates > 0][[0, -1]], atol=1e-3)


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_turings_conditions_without_guidance(factor):
    ratio = float(factor * (3 + 2 * np.sqrt(2)) * 0.02 / 0.01)
    assert forms_pattern(GiererMeinhardtEquation(inhibitor_diffusion=0.005 * ratio)) == (factor > 1)
    assert forms_pattern(GiererMeinhardtEquation(inhibitor_diffusion=5.0, inhibitor_decay=0.01 * factor)) == (
        factor > 1
    )


def test_the_strength_that_ends_the_pattern():
    find = jax.jit(critical_strength, static_argnums=1)
    assert_allclose(find(SPOTS, "both"), 0.0033, rtol=0.005)
    for on in ("both", "activator", "inhibitor"):
        end = find(SPOTS, on)
        assert forms_pattern(guided(SPOTS, 0.999 * end, on))
        assert not forms_pattern(guided(SPOTS, 1.001 * end, on))
    assert find(GiererMeinhardtEquation(inhibitor_diffusion=0.01), "both") == 0
    # Guidance of the inhibitor alone ends the steady state itself, at ρ_a² μ_h²/(4 μ_a² ρ_h).
    assert np.isnan(steady_state(guided(SPOTS, 0.00501, "inhibitor"))).all()
    assert np.isfinite(steady_state(guided(SPOTS, 0.00499, "inhibitor"))).all()


def test_guidance_narrows_the_band_until_none_is_left():
    widths = [np.ptp(unstable_band(guided(SPOTS, strength))) for strength in (0.0, 0.001, 0.002, 0.003)]
    assert widths == sorted(widths, reverse=True)
    assert np.isnan(unstable_band(guided(SPOTS, 0.0034))).all()


def test_without_diffusion_of_the_activator_no_length_is_selected():
    assert fastest_mode(GiererMeinhardtEquation(activator_diffusion=0.0)) == jnp.inf
    assert fastest_mode(GiererMeinhardtEquation(inhibitor_diffusion=0.0)) == 0
    assert fastest_mode(GiererMeinhardtEquation(inhibitor_diffusion=0.005)) == 0


def test_theory_is_differentiable():
    def rate(strength):
        equation = guided(SPOTS, strength)
        return growth_rate(equation, fastest_mode(equation))

    slope = (rate(jnp.array(0.001001)) - rate(jnp.array(0.000999))) / 2e-6
    assert_allclose(jax.grad(rate)(0.001), slope, rtol=1e-4)


# --- Patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "time", "sign"), [("spots", 5000, 1), ("stripes", 20000, 0)])
def test_spots_and_stripes_are_told_apart_and_have_the_fastest_modes_wavelength(name, time, sign):
    grid, equation = Grid(2, 48, 32.0), PRESETS[name]
    end, watch = simulate(equation, grid, noisy(equation, grid), 10.0, time // 10)
    activator = np.asarray(end[0])
    assert patterns.kind(activator, grid) == name
    density = patterns.spot_density(activator, grid)
    assert density > 2 * patterns.SPOTS - 0.2 if sign else abs(density) < patterns.SPOTS / 2
    assert_allclose(patterns.wavelength(activator, grid), 2 * np.pi / fastest_mode(equation), rtol=0.15)
    assert [int(count) for count in watch] == [0, 0, time // 10]


def test_the_measures_on_drawn_patterns():
    grid = Grid(2, 64, 64.0)
    x, y = np.meshgrid(np.arange(64), np.arange(64), indexing="ij")
    k = 2 * np.pi / 8
    spots = 1 + 0.3 * sum(np.exp(-((x - i) ** 2 + (y - j) ** 2) / 4) for i in range(4, 64, 8) for j in range(4, 64, 8))
    found = np.array([patterns.spot_density(u, grid) for u in (spots, 2 - spots)])
    wavelength = patterns.wavelength(spots, grid)
    assert_allclose(found, np.array([64, -64]) * wavelength**2 / 64**2)
    assert_allclose(wavelength, 8.0, rtol=0.1)
    stripes = 1 + np.cos(k * x)
    assert patterns.spot_density(stripes, grid) == 0
    assert_allclose(patterns.wavelength(stripes + 0.3 * np.cos(3 * k * x), grid), 8.0)
    assert [patterns.kind(u, grid) for u in (1 + 5 * (spots - 1), 2.5 - 5 * (spots - 1), stripes)] == [
        "spots",
        "holes",
        "stripes",
    ]
    assert patterns.kind(np.ones((64, 64)), grid) == "none"
    assert np.isnan(patterns.wavelength(np.ones((64, 64)), grid))


def test_growth_is_measured_where_it_is_linear():
    grid = Grid(1, 64, 64.0)
    k = float(fastest_allowed(SPOTS, grid))
    times = np.arange(0.0, 2500.0, 25.0)
    fields = [noisy(SPOTS, grid)]
    step = jax.jit(partial(advance, steps=10))
    prepared = solver(SPOTS, grid, 2.5)
    for _ in times[1:]:
        fields.append(step(prepared, fields[-1])[0])
    activators = np.array([field[0] for field in fields])
    assert_allclose(patterns.growth_rate(activators, times, k, 100.0, grid), growth_rate(SPOTS, k), rtol=0.02)
    assert np.isnan(patterns.growth_rate(activators[-5:], times[-5:], k, 100.0, grid))


def test_patterns_cease_within_a_tenth_of_the_theoretical_strength():
    grid = Grid(1, 64, 64.0)
    plan = sweep.plan(SPOTS, largest=1.2 * float(critical_strength(SPOTS)), strengths=13, ratios=2)
    plan = plan._replace(ratios=np.array([40.0]), critical=np.array([float(critical_strength(SPOTS))]))
    [row] = sweep.boundary(plan, sweep.amplitudes(SPOTS, plan, grid, 40_000.0, 0.01, 0))
    assert_allclose(row["simulated"], row["theory"], rtol=0.1)


def test_a_sweep_over_all_cores_is_its_runs_one_by_one():
    plan = sweep.plan(SPOTS, None, strengths=3, ratios=3)
    grid = Grid(1, 32, 32.0)
    found = sweep.amplitudes(SPOTS, plan, grid, 3000.0, 0.01, 0)
    for i, ratio in enumerate(plan.ratios):
        for j, strength in enumerate(plan.strengths):
            equation = guided(GiererMeinhardtEquation(inhibitor_diffusion=float(ratio) * 0.005), float(strength))
            end, _ = simulate(equation, grid, noisy(equation, grid), 3000.0 / 320, 320)
            assert_allclose(found[i, j], patterns.amplitude(end[0]), rtol=1e-3)


def test_where_a_row_of_the_map_ends():
    plan = sweep.Plan(np.array([0.0, 1.0, 2.0]), np.ones(3), np.ones(3))
    rows = np.array([[0.3, 0.2, 0.0], [0.05, 0.0, 0.0], [0.3, 0.2, 0.15]])
    assert [row["simulated"] for row in sweep.boundary(plan, rows)] == [1.5, 0.0, None]


# --- Limits and errors ------------------------------------------------------------------------------------------------


def test_a_single_site_is_the_reaction_alone():
    grid = Grid(1, 1, 5.0)
    end, watch = simulate(SPOTS, grid, jnp.array([[1.3], [0.9]]), 1.0, 4000)
    assert_allclose(end, 1.0, rtol=1e-6)
    assert int(watch.finite_steps) == 4000
    assert np.isnan(fastest_allowed(SPOTS, grid))


def test_no_steps_leave_the_field_as_it_is():
    start = noisy(SPOTS, LINE)
    end, watch = simulate(SPOTS, LINE, start, 1.0, 0)
    assert_array_equal(end, start)
    assert [int(count) for count in watch] == [0, 0, 0]


def test_the_floor_and_what_is_negative_are_counted():
    start = jnp.asarray([[1.0, 1.0, -1.0, 1.0], [1.0, 1e-4, -0.5, 1.0]])
    still = GiererMeinhardtEquation(0.0, 0.0, **STILL)
    end, watch = simulate(still, Grid(1, 4, 1.0), start, 1.0, 5)
    assert_allclose(end, start, atol=1e-14)
    assert [int(count) for count in watch] == [10, 10, 5]


def test_the_floor_keeps_the_autocatalysis_finite():
    start = jnp.asarray([[1.0, 1.0], [0.0, -1.0]])
    production = SPOTS.reaction(start)[0]
    assert_allclose(production, SPOTS.activator_production / SPOTS.floor)


def test_a_blow_up_is_dated_and_stays_alone():
    # With nothing to hold it, a² runs away: da/dt = a² from 1 is infinite at time 1.
    wild = GiererMeinhardtEquation(0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    start = jnp.ones((2, 2, 4)).at[1, 0].set(0.0)  # the second has no activator and rests
    run = jax.vmap(lambda field: simulate(wild, Grid(1, 4, 1.0), field, 0.1, 100))
    end, watch = run(start)
    assert not np.isfinite(end[0]).any()
    assert 10 <= int(watch.finite_steps[0]) < 40
    assert np.isfinite(end[1]).all()
    assert int(watch.finite_steps[1]) == 100


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: GiererMeinhardtEquation(activator_diffusion=NAN),
            "equation.activator_diffusion = nan: must be a finite number",
        ),
        (lambda: GiererMeinhardtEquation(inhibitor_diffusion=-1.0), "equation.inhibitor_diffusion = -1.0: must be"),
        (lambda: GiererMeinhardtEquation(activator_guidance=NAN), "equation.activator_guidance = nan: must be a fin"),
        (lambda: GiererMeinhardtEquation(floor=0.0), "equation.floor = 0.0: must be a finite number above 0"),
        (lambda: Grid(3), "grid.dims = 3: must be 1 or 2"),
        (lambda: Grid(size=0), "grid.size = 0: must be a whole number of at least 1"),
        (lambda: Grid(length=0.0), "grid.length = 0.0: must be a finite number above 0"),
        (lambda: resample(jnp.ones((2, 4)), 0), "size = 0: must be a whole number of at least 1"),
        (lambda: solver(SPOTS, LINE, 0.0), "dt = 0.0: must be a finite number above 0"),
        (lambda: solver(SPOTS, LINE, 1.0, order=5), "order = 5: must be one of 1, 2, 3, 4"),
        (
            lambda: steady_state(GiererMeinhardtEquation(activator_decay=0.0)),
            "equation.activator_decay = 0: must be above 0",
        ),
    ],
)
def test_wrong_settings_are_refused_by_name(make, message):
    with pytest.raises(SettingError, match=message):
        make()


# --- py-pde -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dims", "size"), [(1, 128), (2, 64)])
def test_py_pde_agrees_on_the_same_grid(dims, size):
    """py-pde differences in space to second order and steps explicitly: long waves and short steps suit it."""
    pde = pytest.importorskip("pde", reason="py-pde, an independent solver, is not installed")
    grid = Grid(dims, size, 16.0 if dims == 1 else 20.0)
    equation = guided(STRIPES, 0.0004)
    start = smooth(grid, 0.05)
    ours, _ = simulate(equation, grid, start, 1.0, 10)
    theirs = pde.PDE(
        {
            "a": "0.005*laplace(a) + 0.01*a**2/((1 + 0.25*a**2)*h) - 0.01*a + 0.0004",
            "h": "0.2*laplace(h) + 0.02*a**2 - 0.02*h + 0.0004",
        }
    )
    box = pde.CartesianGrid([[0, grid.length]] * dims, grid.shape, periodic=True)
    fields = pde.FieldCollection([pde.ScalarField(box, np.asarray(u)) for u in start], labels=["a", "h"])
    dt = 0.4 * (grid.length / size) ** 2 / (2 * dims * 0.2)
    end = theirs.solve(fields, t_range=10.0, dt=10.0 / np.ceil(10.0 / dt), tracker=None, backend="numpy")
    assert_allclose(ours, end.data, rtol=1e-4)
