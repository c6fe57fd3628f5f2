"""Studies and their results on disk: identities, batches, and a store that never loses, mixes or half-writes."""

import dataclasses
import json
import typing
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.small_studies import SMALL, fake_result, fill, small_study, snapshot
from morphorl.config.choices import program_of
from morphorl.config.errors import SettingError, StoreError
from morphorl.config.fields import hints_of
from morphorl.config.files import write_atomically
from morphorl.config.kinds import Kind, names, resolve
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.stack import Stack
from morphorl.dynamics.together import Together
from morphorl.ppo import checkpoints
from morphorl.ppo.settings import PRESETS, Settings
from morphorl.studies import run as run_
from morphorl.studies import stored_agents, study_file
from morphorl.studies.batches import batches
from morphorl.studies.run import Run
from morphorl.studies.store import Store, tabulate
from morphorl.studies.study import Study

# --- Identities -------------------------------------------------------------------------------------------------------


NEEDS = {"anneal_steps": {"anneal_steps": 1_000_000}, "redraw": {"reset": "redraw"}, "signal": {"caution": 0.0}}
"""Other settings that a changed one asks for, where the module has them."""


def changed(module):
    """For every setting of a module: its name, the module (as the change needs it), and the one with that change.

    Tables whose kind may vary are left to those that hold every kind.
    """
    hints = hints_of(type(module))
    for field in dataclasses.fields(module):
        value, hint = getattr(module, field.name), hints[field.name]
        if isinstance(value, Kind):
            continue
        if isinstance(value, eqx.Module):
            for name, *pair in changed(value):
                yield f"{field.name}.{name}", *(dataclasses.replace(module, **{field.name: one}) for one in pair)
            continue
        needs = {name: need for name, need in NEEDS.get(field.name, {}).items() if name in hints}
        if field.name in needs:
            other, needs = needs[field.name], {}
        elif typing.get_origin(hint) is typing.Literal:
            other = next(name for name in typing.get_args(hint) if name != value)
        elif isinstance(value, str):
            other = "Acrobot-v1"
        elif isinstance(value, bool):
            other = not value
        elif isinstance(value, tuple):
            other = (*value, 8) if value else ("dynamics.drive",)
        elif isinstance(value, int):
            other = value * 2 or 1
        else:
            other = next(x for x in (value / 2 or 0.5, value + 1) if field.metadata["allowed"].holds(x))
        usual = dataclasses.replace(module, **needs)
        yield field.name, usual, dataclasses.replace(usual, **{field.name: other})


def acted_on(rule):
    """A system that a rule is for."""
    (kind,) = rule.acts_on or {"reaction_diffusion"}
    return resolve(Dynamics, kind)(reset="redraw")


SYSTEMS = {name: resolve(Dynamics, name)() for name in names(Dynamics)}
RULES = {name: resolve(Guidance, name)() for name in names(Guidance)}
MEMORIES = [name for name, one in SYSTEMS.items() if one.sees == "observation" and type(one).noise is Dynamics.noise]
KINDS = {
    "dynamics": {name: Settings(dynamics=one, blend=Blend("none")) for name, one in SYSTEMS.items()},
    "memory": {name: Settings(memory=SYSTEMS[name]) for name in MEMORIES},
    "guidance": {name: Settings(dynamics=acted_on(one), guidance=one) for name, one in RULES.items()},
}
"""Settings that hold every kind, by the table that holds it."""


@pytest.mark.parametrize(
    ("table", "kind"), [("", ""), *((table, kind) for table, kinds in KINDS.items() for kind in kinds)]
)
def test_a_run_has_another_id_whichever_setting_changes(table, kind):
    whole = KINDS[table][kind] if table else Settings()
    compared = 0
    for name, usual, other in changed(getattr(whole, table) if table else whole):
        if table == "memory" and name in ("reset", "redraw", "normalise", "population"):
            continue  # of which a memory has no choice
        if table:
            usual, other = (dataclasses.replace(whole, **{table: one}) for one in (usual, other))
        assert Run("arm", other, 0, 0).id != Run("arm", usual, 0, 0).id, name
        compared += 1
    assert compared or (table, kind) in (("memory", "none"), ("memory", "together"))


def test_a_run_has_another_id_if_one_of_two_memories_changes():
    pairs = ({}, {"one": Stack()}, {"one": LeakyIntegrators(columns=3)}, {"other": LeakyIntegrators()})
    assert len({Run("arm", Settings(memory=Together(**pair)), 0, 0).id for pair in pairs}) == len(pairs)


@pytest.mark.parametrize("table", KINDS)
def test_a_run_has_another_id_for_every_kind(table):
    assert len({Run("arm", one, 0, 0).id for one in KINDS[table].values()}) == len(KINDS[table])


def test_a_run_has_another_id_under_another_seed_or_algorithm_and_the_same_under_another_label(monkeypatch):
    run = Run("arm", Settings(), 3, 4)
    assert run.id == Run("another label", Settings(), 3, 4).id
    assert len({run.id, Run("arm", Settings(), 4, 4).id, Run("arm", Settings(), 3, 3).id}) == 3
    before = run.id
    monkeypatch.setattr(run_, "ALGORITHM_VERSION", run_.ALGORITHM_VERSION + 1)
    assert run.id != before


def test_all_arms_share_their_seeds_and_the_first_seed_of_every_arm_comes_first():
    runs = dataclasses.replace(small_study(seeds=2), first_seed=7).runs()
    assert [(r.settings.environment, r.arm, r.seed, r.cell_seed) for r in runs] == [
        (environment, arm, seed, seed)
        for environment in ("CartPole-v1", "StatelessCartPole-v1")
        for seed in (7, 8)
        for arm in ("plain", "weak", "strong")
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"seeds": 0}, "seeds = 0: .*at least 1"), ({"seeds": 2, "first_seed": -1}, "first_seed = -1: .*at least 0")],
)
def test_a_study_without_seeds_or_with_negative_ones_is_refused(wrong, message):
    with pytest.raises(SettingError, match=message):
        Study("small", ("CartPole-v1",), {"arm": SMALL}, **wrong)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_posts_study_has_its_arms_and_its_controls(preset):
    mine = dataclasses.replace(study_file.load("blind_dynamics"), steps=50_000, presets=(preset,))
    arms = mine.expand(preset)
    control = "positive control: frozen pattern"
    assert list(arms) == ["plain PPO", "zero readout", "γ = 0", "γ = 0.01", "γ = 0.05", "γ = 0.1", "γ = 0.3", control]
    assert [arm.guidance.strength for arm in arms.values()] == [0, 0, 0.0, 0.01, 0.05, 0.1, 0.3, 0]
    assert arms["plain PPO"].blend.weight == 0
    assert arms["zero readout"].dynamics.initial_scale == 0
    assert all(arm.ppo == PRESETS[preset] and arm.steps == 50_000 for arm in arms.values())
    assert len({program_of(arm) for arm in arms.values()}) == 1  # one compiled program an environment


# --- Batches ----------------------------------------------------------------------------------------------------------


def programs(runs, finished, largest=4, multiple=2):
    """The batches as comparable values: the program's structure and size, and the ids of the runs."""
    return [
        (jax.tree.structure(b.runs[0].settings), b.size, [run.id for run in b.runs])
        for b in batches(runs, finished, largest, multiple)
    ]


@given(seeds=st.integers(1, 7), multiple=st.integers(1, 3), factor=st.integers(1, 4), data=st.data())
@settings(max_examples=50, deadline=None)
def test_every_missing_run_comes_exactly_once_in_a_program_that_does_not_depend_on_what_is_finished(
    seeds, multiple, factor, data
):
    runs = small_study(seeds).runs()
    ids = [run.id for run in runs]
    finished = data.draw(st.sets(st.sampled_from(ids)))
    sizes = {structure: size for structure, size, _ in programs(runs, set(), multiple * factor, multiple)}
    found = programs(runs, finished, multiple * factor, multiple)
    assert sorted(id for *_, batch in found for id in batch) == sorted(set(ids) - finished)
    for structure, size, batch in found:
        assert size == sizes[structure]
        assert len(batch) <= size <= multiple * factor
        assert size % multiple == 0 or size < multiple
    for b in batches(runs, finished, multiple * factor, multiple):
        assert len({jax.tree.structure(run.settings) for run in b.runs}) == 1


def test_an_interrupted_study_goes_on_with_the_very_batches_it_has_left():
    runs = small_study(seeds=5).runs()
    whole = programs(runs, set())
    assert len(whole) > 6
    for done in range(len(whole) + 1):
        assert programs(runs, {id for *_, batch in whole[:done] for id in batch}) == whole[done:]


def test_a_program_is_no_larger_than_its_runs_need():
    one = small_study(seeds=3, arm=SMALL).runs()[:3]
    assert [b.size for b in batches(one, set(), 32, 2)] == [4]
    assert [b.size for b in batches(one, set(), 2, 2)] == [2, 2]


def test_runs_under_two_labels_are_trained_once():
    twice = small_study(first=SMALL, second=SMALL).runs()
    assert len(twice) == 12
    assert sum(len(b.runs) for b in batches(twice, set(), 4, 2)) == 6


# --- Writing ----------------------------------------------------------------------------------------------------------


def broken_writer(path):
    path.write_text("half")
    raise OSError("disk full")


def test_a_failing_writer_leaves_neither_file_nor_temporary_file(tmp_path):
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "result", broken_writer)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_writer_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "result"
    write_atomically(path, lambda temporary: temporary.write_text("whole"))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, broken_writer)
    assert [p.name for p in tmp_path.iterdir()] == ["result"]
    assert path.read_text() == "whole"


def test_nothing_has_the_final_name_before_it_is_whole(tmp_path):
    def write(temporary):
        temporary.write_text("x")
        assert not (tmp_path / "result").exists()

    write_atomically(tmp_path / "result", write)
    assert (tmp_path / "result").read_text() == "x"


def test_a_leftover_temporary_file_is_never_a_result(tmp_path):
    mine, store = small_study(), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    whole, curves = store.finished(), store.curves(mine)
    shard = next(store.shards.glob("*.parquet"))
    leftover = []

    def killed(temporary):
        leftover.append(temporary)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(shard, killed)
    leftover[0].write_bytes(shard.read_bytes()[:100])  # as SIGKILL leaves it
    store.open(mine, resume=True)
    assert store.finished() == whole
    assert store.curves(mine).equals(curves)


# --- The store --------------------------------------------------------------------------------------------------------


def test_a_new_or_an_empty_folder_becomes_a_store(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "new" / "deep"):
        Store(folder).open(small_study(), resume=True)
        assert Store(folder).finished() == set()
        assert json.loads((folder / "study.json").read_text())["name"] == "small"


def test_finished_runs_are_known_and_resuming_keeps_them(tmp_path):
    mine, store = small_study(), Store(tmp_path)
    store.open(mine, resume=True)
    runs = mine.runs()
    fill(store, runs[:7])
    before = snapshot(store.shards)
    again = Store(tmp_path)
    again.open(dataclasses.replace(mine, seeds=5), resume=True)
    assert again.finished() == {run.id for run in runs[:7]}
    assert snapshot(store.shards) == before


@pytest.mark.parametrize("with_agents", [False, True])
def test_without_resuming_the_finished_runs_are_removed(tmp_path, with_agents):
    mine, store = small_study(seeds=1), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs(), with_agents=with_agents)
    assert store.finished()
    store.open(mine, resume=False)
    assert store.finished() == set()
    assert list(store.shards.glob("*")) == []


def refuses(folder, wanted, message, resume):
    before = snapshot(folder)
    with pytest.raises(StoreError, match=message):
        Store(folder).open(wanted, resume=resume)
    assert snapshot(folder) == before


@pytest.mark.parametrize("resume", [True, False])
def test_the_folder_of_another_study_is_refused_and_nothing_in_it_touched(tmp_path, resume):
    mine, store = small_study(arm=SMALL), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    stronger = small_study(arm=dataclasses.replace(SMALL, guidance=Blind(strength=0.2)))
    refuses(tmp_path, stronger, r"arms\.arm\.guidance\.strength is 0\.0 there and 0\.2 here", resume)
    refuses(tmp_path, small_study(name="other", arm=SMALL), "name is 'small' there and 'other' here", resume)


@pytest.mark.parametrize("resume", [True, False])
def test_a_study_of_another_version_of_the_algorithm_is_refused(tmp_path, resume, monkeypatch):
    Store(tmp_path).open(small_study(), resume=True)
    monkeypatch.setattr(run_, "ALGORITHM_VERSION", run_.ALGORITHM_VERSION + 1)
    refuses(tmp_path, small_study(), "another version of the algorithm", resume)


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_of_other_things_is_refused_and_nothing_in_it_touched(tmp_path, resume):
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "thesis.tex").write_text("three years")
    refuses(tmp_path, small_study(), "holds other files and no study.json; must be a new or empty folder", resume)


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        "{ damaged",
        '{"id": "x"}',
        '"text"',
        "[]",
    ],
)
def test_a_study_file_that_is_none_of_ours_is_refused(tmp_path, resume, content):
    (tmp_path / "study.json").write_text(content)
    refuses(tmp_path, small_study(), r"study\.json: is damaged", resume)


def test_a_damaged_study_file_is_written_again_where_the_finished_runs_tell_whose_folder_it_is(tmp_path):
    mine, store = small_study(arm=SMALL), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    whole = (tmp_path / "study.json").read_bytes()
    (tmp_path / "study.json").write_bytes(whole[:-20])
    other = small_study(arm=dataclasses.replace(SMALL, guidance=Blind(strength=0.2)))
    refuses(tmp_path, other, r"study\.json: is damaged", resume=True)
    Store(tmp_path).open(mine, resume=True)
    assert (tmp_path / "study.json").read_bytes() == whole
    assert store.finished() == {run.id for run in mine.runs()}


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(StoreError, match="is a file; must be a new or empty folder"):
        Store(tmp_path / "file").open(small_study(), resume=True)
    assert (tmp_path / "file").read_text() == "here"


def test_a_store_whose_opening_was_killed_can_be_opened_again(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as at_the_last_moment:
        at_the_last_moment.setattr(Path, "replace", killed)
        at_the_last_moment.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            Store(tmp_path).open(small_study(), resume=True)
    Store(tmp_path).open(small_study(), resume=True)
    assert Store(tmp_path).finished() == set()


def test_curves_hold_every_run_in_the_studys_order_with_its_own_numbers(tmp_path):
    mine, store = small_study(seeds=3), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs()[::-1])
    curves = store.curves(mine)
    expected = [
        (
            run.settings.environment,
            run.arm,
            run.seed,
            32 * (u + 1),
            100 * run.seed + 10 * run.settings.guidance.strength + u,
        )
        for run in mine.runs()
        for u in range(3)
    ]
    assert curves.select("environment", "arm", "seed", "env_steps", "episode_return").rows() == [
        (*names, pytest.approx(value)) for *names, value in expected
    ]
    assert curves["guidance_strength"].unique().sort().to_list() == [0, 0.1, 0.3]


def test_what_was_not_measured_is_null_and_divergence_is_told(tmp_path):
    mine, store = small_study(seeds=2), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs(), diverged=[1])
    curves = store.curves(mine)
    assert curves["greedy_return"].is_null().to_list() == [True, True, False] * 12
    assert curves["diverged_at"].to_list() == ([None] * 9 + [64] * 9) * 2


def test_all_shards_have_the_same_columns_whether_or_not_a_run_diverged():
    runs = small_study().runs()[:1]
    well, badly = (tabulate(runs, fake_result(runs, diverged=seeds)) for seeds in ([], [0]))
    assert well.schema == badly.schema
    assert pl.concat([well, badly])["diverged_at"].to_list() == [None] * 3 + [64] * 3


def test_two_labels_of_one_run_both_get_its_curve(tmp_path):
    mine, store = small_study(seeds=2, first=SMALL, second=SMALL), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    curves = store.curves(mine)
    assert len(curves) == 2 * 2 * 2 * 3
    first, second = (curves.filter(arm=arm).drop("arm") for arm in ("first", "second"))
    assert first.equals(second)


def test_a_study_reads_its_own_runs_alone_from_a_store_that_holds_more(tmp_path):
    larger, smaller, store = small_study(seeds=4), small_study(seeds=2), Store(tmp_path)
    store.open(larger, resume=True)
    fill(store, larger.runs())
    assert sorted(store.curves(smaller)["seed"].unique()) == [0, 1]


def test_agents_come_back_in_the_studys_order_each_with_its_own_arrays(tmp_path):
    mine = Study("train", ("CartPole-v1",), {"a": SMALL}, seeds=5)
    store = Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs()[::-1], largest=2, with_agents=True)
    found = stored_agents.trained_agents(store, mine.runs())
    assert found.seeds == [0, 1, 2, 3, 4]
    assert found.settings == [run.settings for run in mine.runs()]
    for leaf in jax.tree.leaves(found.arrays):
        assert [float(np.unique(one).item()) for one in leaf] == [0, 1, 2, 3, 4]


def test_a_shard_is_never_without_its_agents(tmp_path, monkeypatch):
    mine, store = Study("train", ("CartPole-v1",), {"a": SMALL}, seeds=1), Store(tmp_path)
    store.open(mine, resume=True)
    monkeypatch.setattr(checkpoints, "write_arrays", lambda batch, path: broken_writer(path))
    with pytest.raises(StoreError, match="disk full"):
        fill(store, mine.runs(), with_agents=True)
    assert list(store.shards.iterdir()) == []
