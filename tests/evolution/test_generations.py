"""Evolution: it finds what can be found, over settings that exist, on seeds kept apart, and is replayed exactly."""

import dataclasses
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import tomllib

import jax
import jaxtyping
import numpy as np
import polars as pl
import pytest
from rich.console import Console

from morphorl.analysis import curve_statistics
from morphorl.config.errors import SettingError, StoreError
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.evolution import cma_es, generations, search_space
from morphorl.evolution.search_space import Axis, Search
from morphorl.ppo.settings import Settings
from morphorl.report.figures import evolution_figure
from morphorl.studies import study_file
from morphorl.studies.batches import programs

FILE = """
name = "search"
environments = ["CartPole-v1"]
seeds = 4
steps = 256
evaluate_every = 0
settings.ppo.num_envs = 2
settings.ppo.rollout_steps = 16
settings.ppo.minibatches = 2
settings.ppo.epochs = 1
settings.ppo.hidden = [4]

[arms."plain PPO"]
blend.weight = 0.0

[arms."by hand"]
guidance.strength = 0.1

[evolve]
arm = "by hand"
fitness = "early_return"
generations = 3
population = 14
seeds = 2

[evolve.search]
"guidance.strength" = { low = -0.5, high = 0.5 }
"dynamics.activator_decay" = { low = 0.01, high = 1.0, scale = "log" }
"""


@pytest.fixture(autouse=True)
def ranks():
    """evosax adds vectors to matrices, which our own tests do not let pass."""
    with jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture
def as_users_have_it():
    """No type checker in front: the settings' own checks must do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "search.toml"
    path.write_text(FILE)
    return str(path)


# --- The strategy ----------------------------------------------------------------------------------------------------


def searched(cost, settings=5, generations=30, population=12, seed=0):
    strategy = cma_es.begin(np.full(settings, 0.5), population, seed)
    for _ in range(generations):
        strategy = cma_es.tell(strategy, cost(search_space.fold(cma_es.ask(strategy))))
    return strategy


def test_the_minimum_of_a_bowl_is_found_where_noise_hides_it_from_single_candidates():
    goal, chance = np.array([0.2, 0.9, 0.5, 0.7, 0.3]), np.random.default_rng(0)
    bowl = lambda x: ((x - goal) ** 2 * [1, 1, 4, 4, 9]).sum(axis=1)  # noqa: E731
    exact = searched(bowl)
    np.testing.assert_allclose(search_space.fold(cma_es.mean(exact)), goal, atol=0.02)
    noisy = searched(lambda x: bowl(x) + chance.normal(0, 0.05, len(x)))
    assert bowl(search_space.fold(cma_es.mean(noisy))[None])[0] < bowl(np.full((1, 5), 0.5))[0] / 5


def test_a_minimum_at_the_edge_is_found_and_not_left_beyond_it():
    at_edge = searched(lambda x: x.sum(axis=1), settings=2)
    assert (search_space.fold(cma_es.mean(at_edge)) < 0.03).all()


def test_costs_that_are_no_numbers_are_the_worst_and_do_no_harm():
    goal = 0.3

    def cost(x):
        bowl = ((x - goal) ** 2).sum(axis=1)
        return np.where(x[:, 0] > 0.55, np.nan, bowl)

    np.testing.assert_allclose(cma_es.mean(searched(cost, settings=2)), goal, atol=0.02)
    assert np.isfinite(cma_es.mean(searched(lambda x: np.full(len(x), np.nan)))).all()


def test_the_same_answers_give_the_same_search_and_another_seed_another_one():
    one, same, other = (cma_es.mean(searched(lambda x: x.sum(axis=1), generations=3, seed=s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


# --- The space -------------------------------------------------------------------------------------------------------


def test_places_and_values_are_each_other_s_inverse_and_log_ranges_are_even_in_the_logarithm():
    for axis in (Axis(-2.0, 3.0), Axis(0.01, 10.0, "log")):
        for place in (0.0, 0.25, 0.5, 1.0):
            assert axis.to_unit(axis.from_unit(place)) == pytest.approx(place, abs=1e-3)
    assert Axis(0.01, 1.0, "log").from_unit(0.5) == 0.1
    assert Axis(0.0, 0.123456).from_unit(1.0) <= 0.123456


def test_what_lies_outside_is_reflected_into_the_box():
    np.testing.assert_allclose(
        search_space.fold(np.array([-0.2, 0.3, 1.0, 1.1, 2.3, -1.4])), [0.2, 0.3, 1, 0.9, 0.3, 0.6]
    )


def test_every_number_that_runs_of_a_program_may_differ_in_can_be_searched(file):
    names = search_space.numeric(Settings())
    lines = search_space.numeric(Settings(dynamics=GiererMeinhardt()))
    assert "dynamics.equation.activator_decay" in lines
    assert "dynamics.length" not in lines  # a part of the program
    assert {"dynamics.drive", "guidance.strength", "blend.weight", "ppo.learning_rate"} <= set(names)
    assert not {"ppo.epochs", "dynamics.coupling", "dynamics.normalise", "steps", "ppo.hidden"} & set(names)
    study, search = search_space.load_search(file)
    start = search_space.start(search, study)
    one = search_space.changed(start, {"guidance.strength": 0.25})
    assert one == dataclasses.replace(start, guidance=dataclasses.replace(start.guidance, strength=0.25))
    assert one.ppo.hidden == (4,)


def test_all_candidates_and_seeds_of_a_generation_share_one_program(file):
    study, search = search_space.load_search(file)
    start = search_space.start(search, study)
    values = [search.values(np.array([x, 1 - x])) for x in np.linspace(-0.1, 1.1, search.population + 1)]
    studies = [generations.generation_study(search, study, start, number, values) for number in range(3)]
    assert len(programs(run for one in studies for run in one.iterate())) == 1
    assert [one.first_seed for one in studies] == [1000, 1002, 1004]
    assert len(studies[0].runs()) == 16 * 2


def test_a_study_with_a_search_is_an_ordinary_study_for_everyone_else(file):
    study, search = search_space.load_search(file, ["evolve.generations=5"])
    assert study == study_file.load(file)
    assert search.generations == 5
    assert search == Search(
        "by hand", "early_return", 5, 14, 2, 1000,
        {"guidance.strength": Axis(-0.5, 0.5), "dynamics.activator_decay": Axis(0.01, 1.0, "log")},
    )  # fmt: skip
    np.testing.assert_allclose(search.place(search_space.start(search, study)), [0.6, 0.5])


REFUSED = [
    (["evolve.fitness='erly_return'"], "evolve.fitness = 'erly_return'", "Did you mean 'early_return'?"),
    (["evolve.fitness='final_greedy_return'"], "needs greedy evaluations", "evaluate_every = 0"),
    (["evolve.arm='by hnd'"], "evolve.arm = 'by hnd'", "Did you mean 'by hand'?"),
    (["evolve.population=3"], "evolve.population = 3", "a whole number of at least 4"),
    (["evolve.generations=0"], "evolve.generations = 0", "a whole number of at least 1"),
    (["evolve.generation=2"], "evolve.generation: no such key", "Did you mean 'generations'?"),
    (["evolve.seeds=true"], "evolve.seeds = True", "a whole number of at least 1"),
    (["evolve.first_seed=2"], "evolve.first_seed = 2", "2 to 7 .* must not overlap the reporting seeds 0 to 3"),
    (["first_seed=1005"], "evolve.first_seed = 1000", "must not overlap the reporting seeds 1005 to 1008"),
    (["cell_seeds=1001"], "evolve.first_seed = 1000", "must not overlap the reporting seeds 0 to 1000"),
    (["evolve.search.\"dynamics.drve\"={low=0, high=1}"],
     "evolve.search.\"dynamics.drve\"", "Did you mean 'dynamics.drive'?"),
    (["evolve.search.\"ppo.epochs\"={low=1, high=4}"], "ppo.epochs", "must be a numeric setting"),
    (["evolve.search.dynamics.drive={low=0, high=1}"],
     "evolve.search.\"dynamics\"", "needs quotes, as in \"dynamics.drive\""),
    (["evolve.search.\"dynamics.drive\"={low=1, high=1}"], "high = 1", "must be above low"),
    (["evolve.search.\"dynamics.drive\"={low=0, high=1, scale='log'}"],
     "low = 0", "must be above 0 where scale is 'log'"),
    (["evolve.search.\"dynamics.drive\"={low=0, high=1, scale='lin'}"], "scale = 'lin'", "Did you mean 'linear'?"),
    (["evolve.search.\"dynamics.drive\"={low=0, hgh=1}"], "'hgh': 1", "must be a table such as"),
    (["evolve.search.\"dynamics.drive\"={low=0.5, high=1}"], "dynamics.drive", "that arm 'by hand' starts from, 0.0"),
    (["evolve.search.\"dynamics.dt\"={low=-1, high=2}"], "dynamics.dt = -1.0", "a finite number of at least 0"),
    (["environments=['CartPole-v1', 'StatelessCartPole-v1']"], "environments", "must be one alone"),
    (["arms.\"by hand\".dynamics.drive=[0, 1]"], "evolve.arm = 'by hand'", "a sweep of 2 combinations"),
    (["arms.evolved.dynamics.drive=1"], "arms.evolved", "this one is the winner's"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "what", "allowed"), REFUSED, ids=[c[0] for c, _, _ in REFUSED])
def test_a_wrong_search_is_refused_by_name(changes, what, allowed, file, as_users_have_it):
    with pytest.raises(SettingError, match=f"(?s)search.toml: .*{re.escape(what)}") as error:
        search_space.load_search(file, changes)
    assert re.search(allowed, str(error.value)) or allowed in str(error.value)


def test_a_study_without_a_search_is_refused():
    with pytest.raises(SettingError, match="needs an \\[evolve\\] table"):
        search_space.load_search("blind_dynamics")


# --- Fitness ---------------------------------------------------------------------------------------------------------


def curves(returns, greedy):
    rows = [
        {"seed": seed, "cell_seed": seed, "env_steps": 100 * (i + 1), "episodes": 1,
         "episode_return": float(value), "greedy_return": float(reached)}
        for seed in range(len(returns))
        for i, (value, reached) in enumerate(zip(returns[seed], greedy[seed], strict=True))
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_fitness_is_the_summary_s_statistic_and_failures_count_with_the_whole_training():
    search = Search("a", "early_return", 1, 4, 4)
    slow, fast = [0] * 50, [0, 0, 500, 500] + [500] * 46
    rows = curves([range(50), range(10, 60), [7] * 50, range(50)], [slow, fast, slow, fast])
    summary = curve_statistics.summarise(curve_statistics.measure(rows, 475.0))
    for name in ("early_return", "area_under_curve", "final_return", "final_greedy_return"):
        assert generations.fitness(dataclasses.replace(search, fitness=name), rows, 475.0) == summary[name].value
    steps = dataclasses.replace(search, fitness="steps_to_threshold")
    assert generations.fitness(steps, rows, 475.0) == (5000 + 400 + 5000 + 400) / 4
    assert math.isnan(generations.fitness(search, rows.with_columns(episode_return=math.nan), 475.0))


# --- Whole searches --------------------------------------------------------------------------------------------------


def pretend(monkeypatch, cost):
    """Train nothing: the fitness of an arm is a function of its settings, as a result that a store could hold."""

    def train(generation, folder, console, resume):
        folder.mkdir(parents=True, exist_ok=True)
        return 0

    def fitness(search, generation, folder):
        return {label: cost(settings) for label, settings in generation.arms.items()}

    monkeypatch.setattr(generations, "_train", train)
    monkeypatch.setattr(generations, "_fitness", fitness)


def test_the_winner_is_better_than_the_start_and_becomes_an_arm_on_the_reporting_seeds(file, tmp_path, monkeypatch):
    pretend(
        monkeypatch,
        lambda s: -30 * (s.guidance.strength - 0.3) ** 2 - (math.log(s.dynamics.activator_decay / 0.03)) ** 2,
    )
    study, search = search_space.load_search(file, ["evolve.generations=15"])
    outcome = generations.evolve_arm(search, study, tmp_path / "out", Console(quiet=True))
    assert outcome.winner["guidance.strength"] == pytest.approx(0.3, abs=0.05)
    assert outcome.winner["dynamics.activator_decay"] == pytest.approx(0.03, rel=0.1)
    assert outcome.start == {"guidance.strength": 0.1, "dynamics.activator_decay": 0.1}
    again = study_file.load(str(tmp_path / "out" / "evolved.toml"))
    assert list(again.arms) == ["plain PPO", "by hand", "evolved"]
    assert (again.name, again.first_seed, again.seeds) == ("search_evolved", 0, 4)
    expanded = again.expand("standard")
    assert expanded["evolved"] == search_space.changed(expanded["by hand"], outcome.winner)
    history = json.loads((tmp_path / "out" / "history.json").read_text())["generations"]
    assert len(history) == 15
    assert history[-1]["mean"] > history[0]["mean"] == history[0]["start"] == history[-1]["start"]
    assert history[-1]["step_size_after"] < cma_es.DEVIATION
    assert all(len(one["candidates"]) == 14 for one in history)


def test_steps_to_the_threshold_are_made_fewer_and_unknown_fitness_is_null(file, tmp_path, monkeypatch):
    pretend(monkeypatch, lambda s: math.nan if s.guidance.strength < -0.2 else 1000 * (s.guidance.strength + 0.2))
    changes = ["evolve.generations=15", "evolve.fitness='steps_to_threshold'", "evaluate_every=100"]
    study, search = search_space.load_search(file, changes)
    outcome = generations.evolve_arm(search, study, tmp_path / "out", Console(quiet=True))
    assert outcome.winner["guidance.strength"] < -0.1
    assert outcome.history[-1]["best"] == min(c["fitness"] for c in outcome.history[-1]["candidates"] if c["fitness"])
    assert any(c["fitness"] is None for one in outcome.history for c in one["candidates"])
    evolution_figure.draw(outcome.history, search.fitness, "steps", tmp_path / "fitness")
    assert (tmp_path / "fitness.png").exists()
    assert (tmp_path / "fitness.svg").exists()


def test_a_folder_of_something_else_or_of_another_search_is_refused_untouched(file, tmp_path, monkeypatch):
    pretend(monkeypatch, lambda s: s.guidance.strength)
    study, search = search_space.load_search(file)
    quiet, out = Console(quiet=True), tmp_path / "out"
    out.mkdir()
    (out / "letters.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other files and no search"):
        generations.evolve_arm(search, study, out, quiet)
    assert [path.name for path in out.iterdir()] == ["letters.txt"]
    (out / "letters.txt").unlink()
    generations.evolve_arm(search, study, out, quiet)
    before = (out / "search.json").read_text(), (out / "history.json").read_text()
    for change in (
        "evolve.population=8",
        'evolve.search."guidance.strength".high=0.7',
        'arms."by hand".dynamics.drive=1',
    ):
        with pytest.raises(StoreError, match="holds another search"):
            generations.evolve_arm(*reversed(search_space.load_search(file, [change])), out, quiet)
    assert before == ((out / "search.json").read_text(), (out / "history.json").read_text())
    more = generations.evolve_arm(*reversed(search_space.load_search(file, ["evolve.generations=4"])), out, quiet)
    assert len(more.history) == 4
    assert more.history[:3] == json.loads(before[1])["generations"]


def command(study, out):
    return subprocess.Popen(
        [sys.executable, "-m", "morphorl", "evolve", study, "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ,
    )  # fmt: skip


@pytest.mark.slow
def test_killed_and_interrupted_it_goes_on_and_ends_as_if_nothing_had_happened(file, tmp_path):
    undisturbed = command(file, tmp_path / "whole")
    said, _ = undisturbed.communicate()
    assert undisturbed.returncode == 0, said
    for line in ("generation 1 of 3: early_return of the best candidate", "left", "generation 3 of 3", "done"):
        assert line in said
    for generation, how in ((0, signal.SIGKILL), (1, signal.SIGINT)):
        process = command(file, tmp_path / "killed")
        while not list(tmp_path.glob(f"killed/generation_{generation:03d}/shards/*.parquet")):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.002)
        process.send_signal(how)
        said, _ = process.communicate()
        assert process.returncode == (-9 if how == signal.SIGKILL else 130), said
        assert not (tmp_path / "killed" / "evolved.toml").exists()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("killed/generation_*/shards/*.parquet")}
    assert len(kept) >= 2
    last = command(file, tmp_path / "killed")
    said, _ = last.communicate()
    assert last.returncode == 0, said
    assert "generation 3 of 3" in said
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for name in ("history.json", "evolved.toml", "search.json"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "killed" / name).read_text()
    names = [sorted(path.name for path in (tmp_path / one).glob("*/shards/*.parquet")) for one in ("whole", "killed")]
    assert names[0] == names[1]
    assert tomllib.loads((tmp_path / "whole" / "evolved.toml").read_text())["arms"]["evolved"]
