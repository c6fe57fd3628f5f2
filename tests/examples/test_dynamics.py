"""The examples: each keeps the contract, stays short, and does what its equation says."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from examples.dynamics.fitzhugh_nagumo_ring import FitzHughNagumoRing, Units
from examples.dynamics.hebbian_fast_weights import HebbianFastWeights
from examples.dynamics.kuramoto import Kuramoto
from examples.dynamics.linear_recurrent_unit import LinearRecurrentUnit
from examples.dynamics.neural_cellular_automaton import NeuralCellularAutomaton
from examples.dynamics.toggle_switch import ToggleSwitch
from examples.my_lab.fhn import FitzHughNagumo
from scipy.integrate import solve_ivp

from helpers.trajectories import last, trajectory
from morphorl.dynamics.conformance.systems import check_dynamics
from morphorl.dynamics.guidance.base import nothing

KEY = jax.random.key(0)
SHAPE = (4, 2)
EXAMPLES = [
    FitzHughNagumoRing,
    HebbianFastWeights,
    Kuramoto,
    LinearRecurrentUnit,
    NeuralCellularAutomaton,
    ToggleSwitch,
    FitzHughNagumo,
]


@pytest.mark.parametrize("cls", EXAMPLES)
def test_keeps_the_contract(cls):
    check_dynamics(cls)


@pytest.mark.parametrize("cls", EXAMPLES)
def test_is_short(cls):
    limit = 40 if cls is FitzHughNagumo else 60
    assert len(inspect.getsource(inspect.getmodule(cls)).splitlines()) <= limit


# --- FitzHugh-Nagumo -------------------------------------------------------------------------------------------------


def rest(current):
    """The fixed point of a single unit: v − v³/3 − (v + .7)/.8 + I = 0."""
    roots = np.roots([-1 / 3, 0, 1 - 1 / 0.8, current - 0.7 / 0.8])
    voltage = roots[np.abs(roots.imag) < 1e-9].real
    assert len(voltage) == 1
    return float(voltage[0]), float((voltage[0] + 0.7) / 0.8)


def crossings(values, spacing=1.0):
    """When a trajectory passes 0 upwards, by linear interpolation."""
    at = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    return spacing * (at + values[at] / (values[at] - values[at + 1]))


def oscillation(current):
    """Crossings of a single unit, integrated by SciPy."""

    def change(_, u):
        v, w = u
        return [v - v**3 / 3 - w + current, 0.08 * (v + 0.7 - 0.8 * w)]

    times = np.arange(0, 500, 0.05)
    return crossings(solve_ivp(change, (0, 500), [2, 0.6], t_eval=times, rtol=1e-8, atol=1e-8).y[0], 0.05)


@pytest.mark.parametrize("current", [0.0, 0.5])
def test_fhn_has_its_fixed_point_where_the_cubic_says(current):
    voltage, recovery = rest(current)
    state = Units(jnp.full(SHAPE, voltage), jnp.full(SHAPE, recovery))
    after = FitzHughNagumoRing(current=current).step(state, jnp.zeros(4), nothing)
    np.testing.assert_allclose(after.voltage, voltage, atol=1e-5)
    np.testing.assert_allclose(after.recovery, recovery, atol=1e-5)


def test_fhn_rests_without_a_current_and_oscillates_with_one():
    pushed = Units(jnp.full(SHAPE, rest(0.0)[0] + 0.1), jnp.full(SHAPE, rest(0.0)[1]))
    silent = last(trajectory(FitzHughNagumoRing(current=0.0), pushed, jnp.zeros((300, 4))))
    np.testing.assert_allclose(silent.voltage, rest(0.0)[0], atol=1e-3)
    near = Units(jnp.full(SHAPE, rest(0.5)[0] + 0.01), jnp.full(SHAPE, rest(0.5)[1]))
    loud = trajectory(FitzHughNagumoRing(current=0.5), near, jnp.zeros((300, 4)))
    assert float(loud.voltage[-60:].max()) > 1.5


@pytest.mark.parametrize("current", [0.5, 0.9])
def test_fhn_without_coupling_has_the_period_of_the_differential_equation(current):
    system = FitzHughNagumoRing(diffusion=0.0, current=current, time=0.5, substeps=10)
    states = trajectory(system, system.init(KEY, SHAPE), jnp.zeros((1000, 4)))
    for unit in (0, 3):
        ours = np.diff(crossings(np.asarray(states.voltage.reshape(1000, -1)[:, unit]), 0.5))
        np.testing.assert_allclose(ours[-5:], np.diff(oscillation(current))[-1], rtol=0.01)


def test_fhn_carries_a_wave_round_the_ring():
    system = FitzHughNagumoRing()
    start = system.init(KEY, SHAPE)
    for turned, sign in ((start, 1), (jax.tree.map(lambda u: u.ravel()[::-1].reshape(SHAPE), start), -1)):
        voltage = np.asarray(trajectory(system, turned, jnp.zeros((2500, 4))).voltage.reshape(2500, -1))
        times = [crossings(unit)[-3:] for unit in voltage.T]
        period = float(np.mean([np.diff(each) for each in times]))
        lags = [np.mod(sign * (times[j][-1] - times[(j + 1) % 8][-1]), period) / period for j in range(8)]
        np.testing.assert_allclose(lags, 1 / 8, atol=0.01)


def test_fhn_is_the_same_all_round_the_ring():
    system, observation = FitzHughNagumoRing(diffusion=0.3), jnp.ones(4)
    state = Units(*jax.random.normal(KEY, (2, *SHAPE)))

    for moved in (lambda ring: jnp.roll(ring, 3), lambda ring: ring[::-1]):
        shifted = jax.tree.map(lambda u, moved=moved: moved(u.ravel()).reshape(SHAPE), state)
        one, other = (system.step(start, observation, nothing).voltage for start in (state, shifted))
        np.testing.assert_allclose(moved(one.ravel()), other.ravel(), rtol=1e-5)
    alone = FitzHughNagumoRing(diffusion=0.0).step(state, observation, nothing)
    assert float(jnp.max(jnp.abs(alone.voltage - system.step(state, observation, nothing).voltage))) > 0.1


def test_the_newcomers_units_rest_until_they_are_pushed():
    system = FitzHughNagumo(time=0.1)
    quiet = trajectory(system, system.init(KEY, SHAPE), jnp.zeros((2000, 4)))
    np.testing.assert_allclose(quiet[0], rest(0.0)[0], atol=0.02)
    np.testing.assert_allclose(quiet[1], rest(0.0)[1], atol=0.02)
    voltage, _ = trajectory(system, system.init(KEY, SHAPE), jnp.ones((5000, 4)).at[:, 1].set(0.0))  # drive 0.5
    ours = np.diff(crossings(np.asarray(voltage[:, 0, 0]), 0.1))
    np.testing.assert_allclose(ours[-3:], np.diff(oscillation(0.5))[-1], rtol=0.02)
    np.testing.assert_allclose(voltage[:, 1], rest(0.0)[0], atol=0.02)
    assert (voltage[1000:, 0, 1] < rest(0.0)[0]).all()  # the other action's unit is held down


def test_the_newcomers_readout_differs_by_action():
    system, x = FitzHughNagumo(), jnp.array([0.5, 0.0, 0.0, 0.0])
    state = last(trajectory(system, system.init(KEY, SHAPE), jnp.tile(x, (20, 1))))
    first, second = system.read(state, x)
    assert float(first - second) > 0.1


# --- Kuramoto --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detuning", [0.01, 0.03, 0.049, 0.06])
def test_two_oscillators_lock_if_the_coupling_exceeds_their_difference(detuning):
    """The difference φ obeys φ' = Δω − K·sin φ."""
    coupling, steps = 0.05, 4000
    system = Kuramoto(coupling=coupling, spread=detuning / (2 * np.pi))
    natural = jnp.array([[0.5], [-0.5]])
    phases = np.asarray(trajectory(system, jnp.zeros((2, 1)), jnp.zeros((steps, 2)), natural))[..., 0]
    difference = np.unwrap(phases[:, 0] - phases[:, 1])
    solution = solve_ivp(lambda _, phi: detuning - coupling * np.sin(phi), (0, steps), [0.0], rtol=1e-9, atol=1e-9)
    exact = solution.y[0, -1]
    if detuning < coupling:
        assert difference[-1] == pytest.approx(np.arcsin(detuning / coupling), abs=1e-3)
        assert difference[-1] == pytest.approx(exact, abs=1e-3)
    else:
        slipping = np.sqrt(detuning**2 - coupling**2)
        assert (difference[-1] - difference[2000]) / (steps - 2001) == pytest.approx(slipping, rel=0.05)
        assert difference[-1] == pytest.approx(exact, rel=0.05)


def test_equal_oscillators_agree_and_uncoupled_ones_do_not():
    start = Kuramoto().init(KEY, (10, 5))
    natural = jax.random.normal(KEY, (10, 5))

    def order(coupling, spread):
        system = Kuramoto(coupling=coupling, spread=spread)
        phases = last(trajectory(system, start, jnp.zeros((3000, 10)), natural))
        return float(jnp.abs(jnp.mean(jnp.exp(1j * phases))))

    assert order(0.1, 0.0) == pytest.approx(1, abs=1e-4)
    assert order(0.0, 0.01) < 0.4
    assert order(-0.1, 0.0) < 0.05  # repulsion spreads them evenly


def test_kuramoto_runs_at_its_frequency_and_stays_on_the_circle():
    system = Kuramoto(frequency=0.02, spread=0.0)
    states = np.asarray(trajectory(system, jnp.full((2, 3), 0.1), jnp.zeros((100, 2)), jnp.zeros((2, 3))))
    np.testing.assert_allclose(states[49], 0.1, atol=1e-4)
    assert np.abs(states).max() <= np.pi + 1e-5
    np.testing.assert_allclose(np.diff(np.unwrap(states[:, 0, 0])), 2 * np.pi * 0.02, atol=1e-5)


def test_the_observation_pulls_kuramotos_phases_to_zero_or_to_the_other_side():
    system = Kuramoto(frequency=0.0, spread=0.0, coupling=0.0)
    start = Kuramoto().init(KEY, (2, 5))
    phases = last(trajectory(system, start, jnp.tile(jnp.array([1.0, -1.0]), (1000, 1)), jnp.zeros((2, 5))))
    np.testing.assert_allclose(jnp.cos(phases), [[1] * 5, [-1] * 5], atol=1e-4)
    np.testing.assert_allclose(system.read(phases[:1], jnp.ones(1)), 1, atol=1e-4)


# --- A neural cellular automaton -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "shift"), [(0, 1), (0, 3), (1, 1), (1, -2)])
def test_the_automaton_does_the_same_everywhere(axis, shift):
    system, shape = NeuralCellularAutomaton(), (5, 3)
    state, rule = system.init(KEY, shape), system.constants(KEY, shape)
    observations = jax.random.normal(KEY, (20, 5))
    moved = jnp.roll(observations, shift, 1) if axis == 0 else observations
    after = last(trajectory(system, state, observations, rule))
    shifted = last(trajectory(system, jnp.roll(state, shift, 1 + axis), moved, rule))
    np.testing.assert_allclose(shifted, jnp.roll(after, shift, 1 + axis), atol=1e-4)


def test_cells_see_themselves_and_their_four_neighbours():
    system, shape = NeuralCellularAutomaton(channels=1, rate=1.0, gain=1.0, drive=1.0), (5, 5)
    rule = system.constants(KEY, shape)._replace(weights=jnp.array([[0.1, 0.2, 0.3, 0.4]]), inputs=jnp.array([0.5]))
    state = jnp.zeros((1, 5, 5)).at[0, 2, 2].set(1.0)
    after = system.step(state, jnp.zeros(5).at[0].set(2.0), nothing, constants=rule)[0]
    expected = np.zeros((5, 5))
    expected[0] = 0.5 * 2  # the observation, in its row
    expected[2, 2] = 0.1 - 0.4
    expected[3, 2], expected[1, 2] = 0.1 - 0.1, 0.1 + 0.1  # −∂_i/2 below, +∂_i/2 above, and the Laplacian's quarter
    expected[2, 3], expected[2, 1] = 0.1 - 0.15, 0.1 + 0.15
    np.testing.assert_allclose(after, np.tanh(expected), atol=1e-5)


def test_the_automatons_weights_decide():
    system = NeuralCellularAutomaton()
    state, observations = system.init(KEY, SHAPE), jnp.zeros((100, 4))
    rules = [system.constants(jax.random.key(seed), SHAPE) for seed in (1, 1, 2)]
    one, same, other = (last(trajectory(system, state, observations, rule)) for rule in rules)
    np.testing.assert_array_equal(one, same)
    assert float(jnp.max(jnp.abs(one - other))) > 0.1
    assert 0.1 < float(jnp.max(jnp.abs(one))) <= 1  # something lives


# --- A linear recurrent unit -----------------------------------------------------------------------------------------


def reference(system, weights):
    """λ, B and C of the paper, in NumPy."""
    rates = np.geomspace(system.fastest, system.slowest, system.units)
    eigenvalues = np.exp(-rates + 2j * np.pi * system.frequency * np.asarray(weights.turns))
    return eigenvalues, weights.inputs[0] + 1j * weights.inputs[1], weights.readout[0] + 1j * weights.readout[1]


def test_the_impulse_response_is_a_power_of_the_eigenvalue():
    system = LinearRecurrentUnit()
    weights = system.constants(KEY, SHAPE)
    eigenvalues, inputs, readout = reference(system, weights)
    impulse = np.array([1.0, -2.0, 0.5, 0.0])
    observations = jnp.zeros((40, 4)).at[0].set(jnp.asarray(impulse, jnp.float32))
    states = trajectory(system, system.init(KEY, SHAPE), observations, weights)
    fed = np.sqrt(1 - np.abs(eigenvalues) ** 2) * (inputs @ impulse)
    for k in (0, 1, 7, 39):
        expected = eigenvalues**k * fed
        np.testing.assert_allclose(states[k], [expected.real, expected.imag], atol=1e-5)
        read = system.read(states[k], observations[k], constants=weights)
        np.testing.assert_allclose(read, (readout @ expected).real / np.sqrt(system.units), atol=1e-5)


def test_a_linear_recurrent_unit_forgets_whatever_its_parameters():
    for change in ({}, {"slowest": 1e-3, "frequency": 0.5}, {"fastest": 1e2}):
        system = LinearRecurrentUnit(**change)
        eigenvalues, *_ = reference(system, weights := system.constants(KEY, SHAPE))
        assert np.abs(eigenvalues).max() < 1
        states = trajectory(system, jnp.ones((2, 16)), jnp.zeros((500, 4)), weights)
        length = np.hypot(*np.asarray(states[-1]))
        np.testing.assert_allclose(length, np.sqrt(2) * np.abs(eigenvalues) ** 500, rtol=1e-2, atol=1e-6)


def test_a_linear_recurrent_unit_shows_its_state_as_memory():
    state, observation = jnp.arange(32.0).reshape(2, 16), jnp.array([1.0, 2.0])
    np.testing.assert_array_equal(LinearRecurrentUnit().show(state, observation), [1, 2, *range(32)])


# --- A toggle switch -------------------------------------------------------------------------------------------------


def switched(production, first, second, observations=None, **settings):
    """Where one switch goes."""
    observations = jnp.zeros((1500, 1)) if observations is None else observations
    system = ToggleSwitch(production=production, **settings)
    states = trajectory(system, (jnp.full((1, 1), first), jnp.full((1, 1), second)), observations)
    return [float(u[0, 0]) for u in last(states)]


@pytest.mark.parametrize("production", [2.5, 4.0, 6.0])
def test_the_switch_has_two_states_and_their_border_is_equality(production):
    high, low = (production + np.array([1, -1]) * np.sqrt(production**2 - 4)) / 2
    for first, second, winner in ((1.01, 1.0, 0), (1.0, 1.01, 1), (5.0, 4.9, 0), (0.0, 0.1, 1)):
        expected = (high, low) if winner == 0 else (low, high)
        np.testing.assert_allclose(switched(production, first, second), expected, rtol=1e-3)
    both = np.roots([1, 0, 1, -production])
    same = float(both[np.abs(both.imag) < 1e-9].real[0])
    np.testing.assert_allclose(switched(production, 3.0, 3.0), (same, same), rtol=1e-3)


def test_below_the_critical_production_there_is_one_state():
    np.testing.assert_allclose(switched(1.9, 3.0, 0.1), switched(1.9, 0.1, 3.0), rtol=1e-2)
    first, second = switched(2.1, 3.0, 0.1)
    assert first > 1.3 * second


def test_the_switch_keeps_what_pushed_it_last():
    """A constant push s moves the losing species to where s = u − α/(1 + v²), v = α/(1 + u²), as far as that goes."""
    high, low = (4 + np.array([1, -1]) * np.sqrt(12)) / 2
    grid = np.linspace(low, 1.2, 10_000)
    threshold = np.max(grid - 4 / (1 + (4 / (1 + grid**2)) ** 2))
    weak, strong = (jnp.zeros((1500, 1)).at[:1000].set(size * threshold) for size in (0.97, 1.03))  # drive = rate
    np.testing.assert_allclose(switched(4.0, low, high, weak), (low, high), rtol=1e-3)
    np.testing.assert_allclose(switched(4.0, low, high, strong), (high, low), rtol=1e-3)
    np.testing.assert_allclose(switched(4.0, high, low, -strong), (low, high), rtol=1e-3)
    read = ToggleSwitch().read((jnp.full((1, 1), high), jnp.full((1, 1), low)), jnp.zeros(1))
    assert float(read[0]) == pytest.approx(np.sqrt(12) / 4, rel=1e-5)


# --- Hebbian fast weights --------------------------------------------------------------------------------------------


def test_a_stored_pair_is_recalled_and_fades():
    system = HebbianFastWeights(persistence=0.9, learning_rate=0.3)
    codes = system.constants(KEY, (4, 3))
    one, other = jnp.array([0.6, 0.8, 0.0, 0.0]), jnp.array([0.0, 0.0, 1.0, 0.0])
    observations = jnp.zeros((8, 4)).at[0].set(one).at[1].set(other)
    states = trajectory(system, system.init(KEY, (4, 3)), observations, codes)
    first, second = np.tanh(codes @ one), np.tanh(codes @ other)
    np.testing.assert_allclose(system.read(states[0], one), 0.3 * first, rtol=1e-4)
    np.testing.assert_allclose(system.read(states[0], other), 0, atol=1e-6)  # orthogonal: nothing is recalled
    for k in range(1, 8):
        np.testing.assert_allclose(system.read(states[k], one), 0.3 * 0.9**k * first, rtol=1e-4)
        np.testing.assert_allclose(system.read(states[k], other), 0.3 * 0.9 ** (k - 1) * second, rtol=1e-4)


def test_fast_weights_are_attention_to_the_past():
    system, shape = HebbianFastWeights(), (4, 3)
    codes = system.constants(KEY, shape)
    observations = np.asarray(jax.random.normal(KEY, (12, 4)))
    state = last(trajectory(system, system.init(KEY, shape), jnp.asarray(observations), codes))
    age, query = 11 - np.arange(12), observations[-1]
    attention = system.learning_rate * system.persistence**age * (observations @ query)
    expected = attention @ np.tanh(observations @ np.asarray(codes).T)
    np.testing.assert_allclose(system.read(state, jnp.asarray(query)), expected, rtol=1e-4)
