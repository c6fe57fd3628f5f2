"""The Gierer-Meinhardt lines: they are the equation, read and fed where the observation says, in any study."""

import dataclasses
import json
from functools import partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rich.console import Console

from helpers.finished_studies import study
from morphorl.analysis import verdicts
from morphorl.analysis.claims import CLAIMS
from morphorl.config.errors import SettingError
from morphorl.config.plain import from_dict, to_dict
from morphorl.dynamics import gierer_meinhardt
from morphorl.dynamics.base import Given
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt, Lines
from morphorl.dynamics.guidance.base import Signal
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.guidance.three_factor import ThreeFactor
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, GiererMeinhardtEquation, Grid, simulate
from morphorl.dynamics.pde.linear_theory import guided as guided_equation
from morphorl.dynamics.pde.linear_theory import steady_state
from morphorl.environments import registry
from morphorl.ppo import checkpoints, losses, rollout, rollout_randomness, training
from morphorl.ppo.agent import init_agent
from morphorl.ppo.settings import PPO, Settings
from morphorl.report.replay import record
from morphorl.studies import batch_training, study_file
from morphorl.studies.runner import run
from morphorl.studies.store import Store

FEATURES, ACTIONS, ENVS = 3, 2, 4
SHAPE = FEATURES, ACTIONS
SHORT = GiererMeinhardt(sites=32, length=16.0)
CARTPOLE = registry.make_env("CartPole-v1")
NO_READING = jnp.zeros((FEATURES, ENVS))


@pytest.fixture
def double_precision():
    with jax.enable_x64(True):
        yield


def start(system=SHORT, envs=ENVS, seed=0):
    """Lines of several environments, all different."""
    return _start(system, jax.random.split(jax.random.key(seed), envs))


@jax.jit
def _start(system, keys):
    return jax.vmap(lambda key: system.init(key, SHAPE), out_axes=-1)(keys)


def live(lines, steps, system=SHORT, strength=0.0, observation=NO_READING):
    """The lines after some steps under one observation, and the last readout."""
    observation = jnp.asarray(observation, lines.activator.dtype)
    return _live(lines, steps, system, Blind(strength=strength), observation)


@partial(jax.jit, static_argnames="steps")
def _live(lines, steps, system, guidance, observation, signal=None):
    given = Given(guidance, system.constants(jax.random.key(0), SHAPE), signal=signal)
    lines, readouts = jax.lax.scan(lambda u, _: system.advance(u, observation, given), lines, length=steps)
    return lines, readouts[-1]


# --- They are the equation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.02, 0.3, -0.01])
@pytest.mark.parametrize(("equation", "time", "dt"), [(PRESETS["spots"], 10.0, 1.0), (PRESETS["stripes"], 4.0, 0.5)])
def test_every_line_is_what_the_equations_solver_says(double_precision, strength, equation, time, dt):
    system = dataclasses.replace(SHORT, equation=equation, time=time, dt=dt)
    before = start(system)
    after, _ = live(before, 5, system, strength)
    alone = guided_equation(equation, strength / time)
    columns = jnp.stack([u.reshape(32, -1).T for u in before], axis=1)  # a line each
    solve = jax.vmap(lambda u: simulate(alone, Grid(1, 32, 16.0), u, time * dt, 5, 1)[0])
    found = jnp.stack([u.reshape(32, -1).T for u in after], axis=1)
    assert_allclose(found, solve(columns), rtol=1e-10)


def test_a_step_of_ten_units_is_within_a_tenth_of_the_exact_pattern(double_precision):
    before = start(GiererMeinhardt(), envs=1)
    after, _ = live(before, 100, GiererMeinhardt(), observation=NO_READING[:, :1])
    columns = jnp.stack([u.reshape(64, -1).T for u in before], axis=1)
    fine = jax.vmap(lambda u: simulate(GiererMeinhardtEquation(), Grid(1, 64, 32.0), u, 2.0, 500)[0])(columns)[:, 0]
    ours, fine = (u - u.mean(1, keepdims=True) for u in (after.activator.reshape(64, -1).T, fine))
    assert np.std(fine) > 0.3  # the spots are there
    assert np.linalg.norm(ours - fine) < 0.1 * np.linalg.norm(fine)


@pytest.mark.parametrize("strength", [0.0, 0.01, 0.3])
def test_the_guided_steady_state_stays_and_says_the_same_for_all_actions(double_precision, strength):
    rest = steady_state(guided_equation(GiererMeinhardtEquation(), strength / 10))
    uniform = Lines(*(jnp.full((32, FEATURES, ACTIONS, ENVS), u) for u in rest))
    after, readout = live(uniform, 3, strength=strength)
    assert_allclose(after, uniform, rtol=1e-12)
    assert_allclose(readout, FEATURES * (rest[0] - 1), atol=1e-10)


def test_strong_guidance_ends_the_pattern_and_weak_guidance_does_not():
    def spread(strength):
        lines, _ = live(start(GiererMeinhardt(), envs=1), 120, GiererMeinhardt(), strength, NO_READING[:, :1])
        return np.std(lines.activator, axis=0)

    assert spread(0.01).min() > 0.1
    assert spread(0.05).max() < 0.01


def test_frozen_time_leaves_the_lines_as_they_are_and_the_readout_to_the_observation():
    before = start()
    frozen = dataclasses.replace(SHORT, dt=0.0, drive=1.0)
    x = jax.random.normal(jax.random.key(1), (FEATURES, ENVS))
    first, one = live(before, 1, frozen, strength=0.3, observation=x)
    last, other = live(before, 5, frozen, strength=0.3, observation=x)
    assert_array_equal(last, before)
    assert_array_equal(first, before)
    assert_allclose(one, other, atol=1e-6)  # two programs
    assert np.abs(live(before, 1, frozen, observation=x + 1)[1] - one).max() > 0.01


@pytest.mark.optimised
def test_guidance_of_kind_none_and_of_strength_zero_are_none():
    kinds = (NoGuidance(0.7), Blind(0.0))
    assert_array_equal(*(_live(start(), 3, SHORT, guidance, NO_READING)[0] for guidance in kinds))


def test_modulated_guidance_is_blind_with_each_environments_own_strength():
    surprise, before = jnp.array([-1.0, 0.0, 0.3, 2.0]), start()
    told, _ = _live(before, 1, SHORT, Modulated(strength=0.1), NO_READING, Signal(surprise))
    for e, strength in enumerate(0.1 * np.tanh(surprise)):
        alone, _ = live(before, 1, strength=float(strength))
        for one, other in zip(told, alone, strict=True):
            assert_allclose(one[..., e], other[..., e], rtol=1e-5)


# --- Place code -------------------------------------------------------------------------------------------------------


def test_an_observation_is_read_at_its_own_place():
    places = np.linspace(0, 32, 33)[:-1]
    slope = jnp.asarray(places, jnp.float32).reshape(32, 1, 1, 1) * jnp.array([1.0, -2.0]).reshape(1, 1, 2, 1)
    lines = Lines(jnp.broadcast_to(slope, (32, FEATURES, 2, ENVS)), jnp.ones((32, FEATURES, 2, ENVS)))
    x = jax.random.normal(jax.random.key(0), (FEATURES, ENVS)) * 3
    where = gierer_meinhardt.place(dataclasses.replace(SHORT, scale=2.0), x)
    assert_allclose(where, 16 + 12 * np.tanh(x / 2), rtol=1e-5)
    readout = gierer_meinhardt.read("activator", jnp.array([0.5, 0.5]), where, lines)
    expected = (np.asarray(where)[:, None] * np.array([1.0, -2.0])[:, None] - 0.5).sum(0)
    assert_allclose(readout, expected, rtol=1e-5)
    difference = gierer_meinhardt.read("difference", jnp.array([0.5, 0.25]), where, lines)
    assert_allclose(difference, expected - FEATURES * 0.75, rtol=1e-4)


def test_a_feature_is_fed_where_it_is_read():
    x = jnp.array([[-0.8, 0.0, 0.3, 5.0]])
    where = gierer_meinhardt.place(SHORT, x)
    fed = gierer_meinhardt.at(SHORT, where)
    assert_allclose(fed.sum(0), 1.0, rtol=1e-5)
    assert_allclose((fed * jnp.arange(32.0).reshape(-1, 1, 1)).sum(0), where, rtol=1e-5)
    # Reading and feeding are each other's adjoint: what reads a line is the pattern that is fed.
    line = jax.random.normal(jax.random.key(0), (32, 1, 1, 4))
    readout = gierer_meinhardt.read("activator", jnp.zeros(2), where, Lines(line, line))
    assert_allclose(readout, (fed * line[:, :, 0]).sum(0), rtol=1e-4, atol=1e-6)


def test_drive_adds_the_observation_at_its_place_with_a_sign_for_each_action(double_precision):
    # Without diffusion the source stays where it is, and grows as if nothing else were fed.
    system = dataclasses.replace(SHORT, equation=GiererMeinhardtEquation(0.0, 0.0))
    before = start(system)
    x = jax.random.normal(jax.random.key(1), (FEATURES, ENVS))
    still, fed = (live(before, 1, dataclasses.replace(system, drive=k), observation=x)[0] for k in (0.0, 0.2))
    there = gierer_meinhardt.at(system, gierer_meinhardt.place(system, x))
    source = 0.2 / 10 * np.einsum("sfe,fe,k->sfke", there, x, [1.0, -1.0])
    assert_allclose(fed.activator - still.activator, source * (1 - np.exp(-0.1)) / 0.01, atol=1e-10)
    assert_array_equal(fed.inhibitor, still.inhibitor)


def test_a_fed_line_remembers_what_was_seen():
    x = jnp.full((FEATURES, ENVS), 0.5)
    fed, _ = live(start(), 3, dataclasses.replace(SHORT, drive=0.5), observation=x)
    _, later = live(fed, 4, observation=x)
    _, unfed = live(start(), 7, observation=x)
    assert ((later - unfed)[0] > 0.1).all()
    assert ((later - unfed)[1] < -0.1).all()


# --- Many, and in the loop --------------------------------------------------------------------------------------------


def test_environments_side_by_side_are_environments_alone():
    before, x = start(), jax.random.normal(jax.random.key(1), (FEATURES, ENVS))
    system = dataclasses.replace(SHORT, drive=0.3)
    constants, guide = system.constants(jax.random.key(0), SHAPE), Blind(strength=0.1)
    together, readouts = live(before, 6, system, 0.1, x)

    @jax.jit
    def alone(lines, x):
        for _ in range(6):
            lines = system.step(lines, x, guide, constants=constants)
        return lines, system.read(lines, x, constants=constants)

    for e in range(ENVS):
        lines, readout = alone(jax.tree.map(lambda u, e=e: u[..., e], before), x[:, e])
        assert_allclose(jax.tree.map(lambda u, e=e: u[..., e], together), lines, rtol=1e-4)
        assert_allclose(readouts[:, e], readout, rtol=1e-3, atol=1e-4)


def test_the_share_of_lines_at_the_floor_is_told():
    lines = Lines(jnp.ones((32, 2, 2, 1)), jnp.ones((32, 2, 2, 1)).at[5, 0, 1].set(1e-4).at[6:9, 1, 1].set(-1.0))
    assert SHORT.diagnose(lines) == 0.5
    assert rollout.diagnosis(Settings(dynamics=SHORT), lines) == 0.5


SMALL = PPO(num_envs=ENVS, rollout_steps=64, minibatches=2, hidden=(8,))


def settings(**changes):
    return Settings(**{"steps": 512, "evaluate_every": 0, "ppo": SMALL, "dynamics": SHORT} | changes)


@partial(jax.jit, static_argnames="steps")
def act(asked, steps=64):
    """A fresh run, and what its first steps make of it."""
    state = training.init(asked, CARTPOLE, jnp.array(0), jnp.array(0))
    randomness = jax.tree.map(lambda u: u[:steps], rollout_randomness.draw(asked, CARTPOLE, jax.random.key(5)))
    return state, *rollout.collect(asked, CARTPOLE, state.agent, state.rollout_state, randomness)


@pytest.mark.parametrize("reset", ["episode", "redraw", "never"])
def test_lines_are_reset_as_the_cell_would_be(reset):
    asked = settings(dynamics=dataclasses.replace(SHORT, dt=0.0, reset=reset))  # frozen: only a reset changes them
    state, rollout_state, seen = act(asked)
    assert np.asarray(seen.terminated | seen.truncated).any(0).all()
    changed = (np.asarray(rollout_state.cells.activator) != state.agent.pattern.activator[..., None]).any((0, 1, 2))
    assert_array_equal(changed, reset == "redraw")


@pytest.mark.parametrize("reset", ["episode", "never"])
def test_moving_lines_go_back_to_their_pattern_at_an_episodes_end_or_never(reset):
    asked = settings(dynamics=dataclasses.replace(SHORT, reset=reset), guidance=Blind(strength=0.1))
    _, _, seen = act(asked)
    steps = int(np.asarray(seen.terminated | seen.truncated).any(1).argmax()) + 1  # until the first end
    state, rollout_state, seen = act(asked, steps)
    ended = np.asarray(seen.terminated[-1] | seen.truncated[-1])
    assert ended.any()
    assert not ended.all()
    moved = np.abs(np.asarray(rollout_state.cells.activator) - state.agent.pattern.activator[..., None]).max((0, 1, 2))
    assert_array_equal(moved > 0.1, ~ended | (reset == "never"))
    assert (moved[ended] == 0).all() or reset == "never"


def test_the_pattern_comes_from_the_cell_seed_alone_whatever_the_strength():
    one, other, third = (
        init_agent(settings(guidance=Blind(strength=s)), 4, 2, jax.random.key(9), jax.random.key(k)).pattern
        for s, k in ((0.0, 0), (0.3, 0), (0.0, 1))
    )
    assert_array_equal(one.activator, other.activator)
    assert np.abs(one.activator - third.activator).max() > 0.1
    assert_allclose(np.std(one.activator), 0.1, rtol=0.1)


def test_the_ratio_is_one_in_the_first_minibatch():
    asked = settings(guidance=Blind(strength=0.1))
    state, rollout_state, seen = act(asked)
    samples = losses.prepare(asked, CARTPOLE, state.agent, seen, rollout_state.observation)
    assert np.abs(samples.readout[0] - samples.readout[1]).max() > 0.01
    logits = 0.3 * samples.readout + 0.7 * state.agent.actor(samples.observation)
    log_prob = jax.nn.log_softmax(logits, axis=0)[samples.action, jnp.arange(samples.action.size)]
    assert_allclose(jnp.exp(log_prob - samples.log_prob), 1.0, atol=1e-5)


def test_agents_with_a_field_survive_on_disk_and_are_replayed(tmp_path):
    runs = study({"a": settings()}, seeds=2, environments=("CartPole-v1",)).runs()
    batch = checkpoints.Agents([run.settings for run in runs], [0, 1], batch_training.train_batch(runs, 2).agents)
    checkpoints.save_agents(batch, tmp_path)
    back = checkpoints.load_agents(tmp_path)
    jax.tree.map(assert_array_equal, back.arrays, batch.arrays)
    assert back.settings == batch.settings

    agent = jax.tree.map(lambda u: jnp.asarray(u[0]), batch.arrays)
    episode = jax.jit(lambda agent: record(runs[0].settings, CARTPOLE, agent, 0))(agent)
    assert set(episode.states) == {"field"}
    assert episode.states["field"].shape == (500, 4 * 2, 16)
    given = Given(runs[0].settings.guidance, agent.constants)
    pattern = jax.tree.map(lambda u: u[..., None], agent.pattern)
    first = runs[0].settings.dynamics.advance(pattern, jnp.zeros((4, 1)), given)[0].activator[..., 0]
    # Without drive a line does not ask what was observed; rows are features by actions, columns pairs of sites.
    assert_allclose(
        episode.states["field"][0].reshape(4, 2, 16)[2, 1], first[:, 2, 1].reshape(16, 2).mean(1), rtol=1e-4
    )


# --- Studies and settings ---------------------------------------------------------------------------------------------

TINY = ["seeds=1", "steps=1024", "evaluate_every=0", 'environments=["CartPole-v1"]']
TINY += ["settings.ppo.hidden=[4]", "settings.ppo.epochs=1"]


def test_the_study_runs_goes_on_and_is_judged(tmp_path):
    lines = 'dynamics.kind = "gierer_meinhardt"'
    shipped = study_file.path_of("field").read_text(encoding="utf-8")
    (tmp_path / "field.toml").write_text(shipped.replace(lines, f"{lines}\ndynamics.sites = 16"), encoding="utf-8")
    tiny = study_file.load(str(tmp_path / "field.toml"), TINY)
    store, console = Store(tmp_path / "out"), Console(quiet=True)
    assert not run(tiny, store, console)
    curves = store.curves(tiny)
    shards = sorted((tmp_path / "out" / "shards").glob("*.parquet"))
    assert len(shards) == 2
    shards[0].unlink()
    assert not run(tiny, store, console)
    assert store.curves(tiny).equals(curves)
    assert curves["arm"].n_unique() == 8
    assert (curves.filter(arm="γ = 0.3")["episode_return"] != curves.filter(arm="γ = 0")["episode_return"]).any()
    [judged] = verdicts.judge(tiny, "standard", curves)
    assert [verdict.claim for verdict in judged.verdicts] == list(CLAIMS)


def test_settings_of_a_field_survive_json_and_name_runs_of_their_own():
    asked = Settings(dynamics=dataclasses.replace(SHORT, equation=PRESETS["stripes"], time=5.0))
    assert from_dict(Settings, json.loads(json.dumps(to_dict(asked)))) == asked
    others = [Settings(), Settings(dynamics=GiererMeinhardt()), asked, Settings(dynamics=GiererMeinhardt(time=5.0))]
    assert len({other.digest for other in others}) == 4


def named(**values):
    """Settings from a file that names the kind."""
    return lambda: from_dict(Settings, {"dynamics": {"kind": "gierer_meinhardt"} | values})


OWN = "must be one of reset, redraw, normalise, equation, sites"
REFUSED = [
    (lambda: GiererMeinhardt(sites=63), r"dynamics.sites = 63: must be an even whole number from 4 to 16,384\."),
    (lambda: GiererMeinhardt(sites=10**10), r"dynamics.sites = 10000000000: must be an even whole number from 4"),
    (lambda: GiererMeinhardt(length=0.0), "dynamics.length = 0.0: must be a finite number above 0"),
    (lambda: GiererMeinhardt(time=0.0), "dynamics.time = 0.0: must be a finite number above 0"),
    (lambda: GiererMeinhardt(scale=-1.0), "dynamics.scale = -1.0: must be a finite number above 0"),
    (
        lambda: GiererMeinhardt(equation=GiererMeinhardtEquation(activator_decay=0.0)),
        "dynamics.equation.activator_decay = 0: must be above 0",
    ),
    (lambda: GiererMeinhardt(initial_scale=0.0), "dynamics.initial_scale = 0.0: must be a finite number above 0"),
    (
        lambda: Settings(dynamics=SHORT, guidance=ThreeFactor()),
        r"dynamics.kind = 'gierer_meinhardt': must be a system that calls `guide\(u, read=True\)` for a state with an "
        "entry for each feature and action where guidance.kind is 'three_factor'",
    ),
    (
        lambda: from_dict(Settings, {"dynamics": {"kind": "gierer_meinhart"}}),
        r"dynamics.kind = 'gierer_meinhart': must be one of .*, or MODULE:CLASS .* Did you mean 'gierer_meinhardt'\?",
    ),
    (
        lambda: from_dict(Settings, {"dynamics": {"kind": "field"}}),
        r"dynamics.kind = 'field': must be one of .* Did you mean 'gierer_meinhardt'\?",
    ),
    (named(coupling="ring"), f"dynamics.coupling: no such setting; {OWN}"),
    (named(bound=5.0), f"dynamics.bound: no such setting; {OWN}"),
    (named(population=0.1), f"dynamics.population: no such setting; {OWN}"),
    (named(site=64), rf"dynamics.site: no such setting; {OWN}.* Did you mean 'sites'\?"),
    (
        named(equation={"saturatoin": 0.25}),
        r"dynamics.equation.saturatoin: no such setting; .* Did you mean 'saturation'\?",
    ),
    (
        named(equation={"activator_diffusion": -1.0}),
        "dynamics.equation.activator_diffusion = -1.0: must be a finite number of at least 0",
    ),
    (
        lambda: from_dict(Settings, {"field": {"sites": 64}}),
        "field: no such setting; must be one of environment, steps, .*dynamics",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_lines_cannot_be_is_refused_by_name(make, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(SettingError, match=message):
        make()
