"""Theory of the simplified cell against its own `step`: fixed points, growth, ends, and `morphorl kinetics`."""

import dataclasses
import json
import sys

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from numpy.testing import assert_allclose

from morphorl import cli
from morphorl.commands import kinetics
from morphorl.config.errors import SettingError
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.kinetics import ends
from morphorl.dynamics.kinetics.theory import (
    critical_strength,
    fixed_points,
    growth_factor,
    linear,
    modes,
    steady_state,
)
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion

TURING = ReactionDiffusion(coupling="lattice", initial="positive", activator_diffusion=0.02, inhibitor_diffusion=0.8)
BARE = ReactionDiffusion(activator_production=0.0, inhibitor_production=0.0)
SHAPE = (4, 2)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def uniform(activator, inhibitor):
    return ActivatorInhibitor(jnp.full((1, 1), float(activator)), jnp.full((1, 1), float(inhibitor)))


def after(cell, state, strength):
    return cell.step(state, jnp.ones(state.activator.shape[0]), Blind(strength=strength))


# --- Fixed points -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.05, 0.3, -0.02])
@pytest.mark.parametrize(
    "cell",
    [
        ReactionDiffusion(),
        ReactionDiffusion(epsilon=0.0),
        ReactionDiffusion(bound=3.0),
        ReactionDiffusion(bound=float("inf")),
        BARE,
        ReactionDiffusion(activator_decay=-0.05),
    ],
    ids=["default", "no epsilon", "tight", "no bound", "no production", "growing"],
)
def test_one_step_leaves_every_fixed_point_in_place(cell, strength):
    found = [point for point in fixed_points(cell, strength) if point.inhibitor or cell.epsilon]
    for point in found:
        state = uniform(point.activator, point.inhibitor)
        assert_allclose(after(cell, state, strength), state, atol=1e-9)
    assert found or not cell.epsilon


def test_without_production_entries_rest_at_strength_over_decay():
    ends = [(point.activator, point.inhibitor) for point in fixed_points(BARE, 0.05) if point.stable]
    assert_allclose(ends, [(0.5, 0.25), (0.5, -0.25), (-0.5, 0.25), (-0.5, -0.25)], rtol=1e-12)


def test_with_production_they_do_not():
    """The sentence that a referee found false: the default cell at γ = 0.1 has no fixed point at ±γ/μ = ±1."""
    ends = [point.activator for point in fixed_points(ReactionDiffusion(), 0.1) if point.stable]
    assert_allclose(ends, [10, 2.7211, -0.4927, -0.5718], atol=1e-4)


@pytest.mark.parametrize("strength", [0.0, 0.05, 0.3])
def test_uniform_cells_end_at_the_stable_points_and_reach_each_of_them(strength):
    grid = jnp.linspace(-9.7, 9.7, 24)
    a, h = (u.ravel()[:, None, None] for u in jnp.meshgrid(grid, grid))

    def end(a, h):
        return jax.lax.fori_loop(
            0, 1500, lambda _, state: after(ReactionDiffusion(), state, strength), ActivatorInhibitor(a, h)
        )

    ends = np.stack(jax.jit(jax.vmap(end))(a, h), axis=-1).reshape(-1, 2)
    stable = np.array([point[:2] for point in fixed_points(ReactionDiffusion(), strength) if point.stable])
    apart = np.abs(ends[:, None] - stable).max(axis=-1)
    assert_allclose(apart.min(axis=1), 0, atol=1e-8)
    assert set(apart.argmin(axis=1)) == set(range(len(stable)))


@pytest.mark.parametrize(
    "cell",
    [ReactionDiffusion(), ReactionDiffusion(dt=0.5), ReactionDiffusion(bound=3.0)],
    ids=["default", "short", "tight"],
)
def test_growth_is_the_spectral_radius_of_one_step(cell):
    def step(u):
        state = after(cell, ActivatorInhibitor(u[:1, None], u[1:, None]), 0.05)
        return jnp.concatenate([state.activator[0], state.inhibitor[0]])

    points = [point for point in fixed_points(cell, 0.05) if point.activator and point.held in ("none", "inhibitor")]
    assert len(points) >= 3
    for point in points:
        nudged = jnp.array([point.activator, np.nextafter(point.inhibitor, 0) if point.held == "none" else cell.bound])
        expected = jax.jacfwd(step)(nudged)
        expected = expected.at[1].set(0) if point.held == "inhibitor" else expected
        assert_allclose(point.growth, np.abs(np.linalg.eigvals(np.asarray(expected))).max(), rtol=1e-9)


def test_the_steady_state_is_the_cells_own_without_guidance_and_epsilon():
    cell = ReactionDiffusion(epsilon=0.0, inhibitor_decay=0.3)
    found = steady_state(cell, 0.0)
    assert found is not None
    assert_allclose((found.activator, found.inhibitor), cell.steady_state(), rtol=1e-6)
    assert steady_state(ReactionDiffusion(), 0.3) is None  # beyond the bound


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (ReactionDiffusion(drive=0.1), "dynamics.drive = 0.1: must be 0"),
        (ReactionDiffusion(coupling="partner"), "dynamics.coupling = 'partner': must be"),
        (ReactionDiffusion(gate="rows"), "dynamics.gate = 'rows': must be"),
        (ReactionDiffusion(inhibitor_decay=0.0), r"dynamics.inhibitor_decay = 0: must differ"),
    ],
)
def test_what_the_theory_does_not_cover_is_refused_by_name(cell, words):
    with pytest.raises(SettingError, match=words):
        fixed_points(cell, 0.1)


# --- Patterns ---------------------------------------------------------------------------------------------------------


def test_the_couplings_eigenvalues_are_those_of_the_formulas():
    i, j = np.meshgrid(np.arange(4), np.arange(2))
    expected = {
        "mean": [0] + [-1] * 7,
        "ring": np.cos(2 * np.pi * np.arange(8) / 8) - 1,
        "lattice": (np.cos(2 * np.pi * i / 4) + np.cos(2 * np.pi * j / 2)).ravel() / 2 - 1,
    }
    for coupling, values in expected.items():
        found, vectors = modes(ReactionDiffusion(coupling=coupling), SHAPE)
        assert_allclose(found, np.sort(values)[::-1], atol=1e-6)
        assert_allclose(np.ptp(vectors[0]), 0, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.05])
@pytest.mark.parametrize(
    "cell", [TURING, ReactionDiffusion(), ReactionDiffusion(coupling="ring", dt=0.5)], ids=["turing", "default", "ring"]
)
def test_a_small_mode_grows_by_the_predicted_factor(cell, strength):
    """A nudge of a and one of h along a mode stay in that mode, and their 2 × 2 matrix has the predicted radius."""
    state = steady_state(cell, strength)
    assert state is not None
    values, vectors = modes(cell, SHAPE)
    for mode in (0, 3, 7):
        pattern, size = vectors[mode].reshape(SHAPE), 1e-5
        columns = []
        for nudge in np.eye(2) * size:
            levels = np.array(state[:2])[:, None, None]
            ends = [
                after(cell, ActivatorInhibitor(*jnp.asarray(levels + d[:, None, None] * pattern)), strength)
                for d in (nudge, -nudge)
            ]
            change = (np.stack(ends[0]) - np.stack(ends[1])) / (2 * size)
            columns.append((change * pattern).sum(axis=(1, 2)))
            assert_allclose(change, columns[-1][:, None, None] * pattern, atol=1e-6)
        measured = np.abs(np.linalg.eigvals(np.stack(columns, axis=1))).max()
        assert_allclose(measured, growth_factor(cell, state, float(values[mode])), rtol=1e-6)


@pytest.mark.parametrize("coupling", ["mean", "ring", "lattice"])
def test_no_pattern_grows_at_the_default_rates(coupling):
    cell = ReactionDiffusion(coupling=coupling)
    told = linear(cell, 0.0, SHAPE)
    assert told is not None
    assert max(told.uniform, told.fastest) < 1
    assert critical_strength(cell, SHAPE) == 0


def test_guidance_ends_patterns_where_theory_says():
    """From noise of a thousandth: a pattern a little below the critical strength, a uniform state a little above."""
    critical = critical_strength(TURING, SHAPE)
    assert_allclose(critical, 0.0655, atol=1e-4)

    cell = dataclasses.replace(TURING, initial_scale=1e-3)
    strengths = (0.9 * critical, 1.1 * critical)
    below, above = ends.trajectories(cell, strengths, SHAPE, patterns=1, steps=4000, seed=0).activator[:, 0, -1]
    assert np.std(below) > 0.1
    assert np.std(above) < 1e-7
    growth = [told.fastest for told in (linear(TURING, strength, SHAPE) for strength in strengths) if told]
    assert growth[0] > 1 > growth[1]


# --- Ends -------------------------------------------------------------------------------------------------------------


def test_trajectories_are_those_of_single_cells():
    found = ends.trajectories(ReactionDiffusion(), (0.0, 0.1), SHAPE, patterns=3, steps=5, seed=7)
    assert found.activator.shape == (2, 3, 6, *SHAPE)
    state = ReactionDiffusion().init(jax.random.split(jax.random.key(7), 3)[2], SHAPE)
    for step in range(6):
        assert_allclose(found.activator[1, 2, step], state.activator, rtol=1e-9)
        assert_allclose(found.readout[1, 2, step], ReactionDiffusion().read(state, jnp.ones(4)), rtol=1e-9)
        state = after(ReactionDiffusion(), state, 0.1)


def test_ends_are_those_of_a_sample_by_hand():
    alike, apart = [[2.0, 2.0], [-1.0, -1.005]], [[2.0, 10.0], [-1.0, -1.0]]
    found = ends.ends(np.array([alike, apart]), 0.1, 200, bound=10.0)
    assert (found.strength, found.steps, found.share_positive, found.same_rows) == (0.1, 200, 0.5, 0.5)
    assert found.at_bound == 1 / 8
    assert found.positive.median == 2.0
    assert found.negative.median == -1.0
    assert np.isnan(ends.ends(np.ones((1, 2, 2)), 0.1, 200, bound=10.0).negative.median)


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run `morphorl kinetics` in this process, without the type checker (tyro's placeholders would not pass it)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kinetics.console, "_width", 400)
    jaxtyping.config.update("jaxtyping_disable", True)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphorl", "kinetics", "--out", "OUT", "--patterns", "8", *arguments])
        cli.main()
        return capsys.readouterr().out

    yield run
    jaxtyping.config.update("jaxtyping_disable", False)


def test_the_command_writes_what_it_says(command, tmp_path):
    turing = [
        "--dynamics.coupling",
        "lattice",
        "--dynamics.activator-diffusion",
        "0.02",
        "--dynamics.inhibitor-diffusion",
        "0.8",
    ]
    printed = command(*turing, "--guidance.strength", "0.1")
    assert "guidance ends them at γ = 0.06555" in printed
    assert sorted(path.name for path in (tmp_path / "OUT").iterdir()) == [
        "kinetics.json",
        "trajectories.png",
        "trajectories.svg",
    ]
    told = json.loads((tmp_path / "OUT" / "kinetics.json").read_text(), parse_constant=pytest.fail)
    assert_allclose(told["critical_strength"], 0.06555, atol=1e-5)
    assert [(one["strength"], one["steps"]) for one in told["ends"]] == [(0, 200), (0, 500), (0.1, 200), (0.1, 500)]
    assert [one["strength"] for one in told["growth"]] == [0, 0.1]
    assert "2.721" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dynamics.kind", "gierer_meinhardt"], "--dynamics.kind"),
        (["--guidance.kind", "modulated"], "--guidance.kind"),
        (["--patterns", "0"], "patterns = 0: must be a whole number of at least 1"),
        (["--shape", "4", "0"], "shape = (4, 0): must be two numbers"),
    ],
)
def test_the_command_refuses_by_name(arguments, words, command, capsys):
    with pytest.raises(SystemExit) as stopped:
        command(*arguments)
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err
