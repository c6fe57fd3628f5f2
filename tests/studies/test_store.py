"""The store under bad conditions: damage, full disks, two writers, links, failures, and studies that grow."""

import dataclasses
import errno
import io
import json
import multiprocessing
import os
import subprocess
import time

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from helpers.holding import hold
from helpers.small_studies import SMALL, fake_result, fill, small_study, snapshot
from morphorl import cli
from morphorl.commands import clean, status
from morphorl.commands.shared import folder_of
from morphorl.config import devices, files
from morphorl.config.errors import SettingError, StoreError
from morphorl.studies import batch_training, lock, shards
from morphorl.studies.runner import run
from morphorl.studies.store import Store


def quiet():
    return Console(file=io.StringIO(), width=200)


def one_environment(seeds=12, **arms):
    return dataclasses.replace(small_study(seeds, **arms), environments=("CartPole-v1",))


def names(folder):
    return sorted(path.name for path in (folder / "shards").glob("*.parquet"))


@pytest.fixture
def tiny_batches(monkeypatch):
    monkeypatch.setattr(devices, "batch_sizes", lambda: (4, 2))


# --- Growing ----------------------------------------------------------------------------------------------------------


def test_added_seeds_arms_environments_and_presets_only_add_work(tmp_path):
    arms = {"weak": {"guidance": {"strength": [0.1, 0.2]}}}
    small = {"ppo": {"num_envs": 2, "rollout_steps": 16, "minibatches": 2, "hidden": [4]}}
    mine = dataclasses.replace(small_study(), arms=arms, settings=small, steps=96, environments=("CartPole-v1",))
    larger = dataclasses.replace(
        mine,
        seeds=5,
        arms={"weak": {"guidance": {"strength": [0.1, 0.2, 0.3]}}, "none": {"blend": {"kind": "none"}}},
        environments=("CartPole-v1", "StatelessCartPole-v1"),
        presets=("standard", "tuned"),
    )
    store = Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    finished = store.finished()
    store.open(larger, resume=True)
    assert store.finished() == finished
    assert finished < {run.id for run in larger.runs()}
    store.open(mine, resume=True)
    assert store.finished() == finished


@pytest.mark.parametrize("change", [{"steps": 128}, {"settings": {"dynamics": {"dt": 0.5}}}, {"name": "other"}])
def test_a_study_that_means_something_else_under_the_same_labels_is_refused(tmp_path, change):
    small = {"ppo": {"num_envs": 2, "rollout_steps": 16, "minibatches": 2, "hidden": [4]}}
    mine = dataclasses.replace(small_study(), arms={"a": {}}, settings=small, steps=96)
    Store(tmp_path).open(mine, resume=True)
    before = snapshot(tmp_path)
    if "settings" in change:
        change = {"settings": small | change["settings"]}
    with pytest.raises(StoreError, match="holds another study"):
        Store(tmp_path).open(dataclasses.replace(mine, **change), resume=True)
    assert snapshot(tmp_path) == before


# --- Damage -----------------------------------------------------------------------------------------------------------


def flip(path, place=-200):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def rename(path):
    path.rename(path.with_name("0" * 32 + ".parquet"))


@pytest.mark.parametrize("damage", [flip, cut, empty, rename])
def test_a_damaged_shard_is_set_aside_reported_and_its_runs_are_done_again(tmp_path, damage, tiny_batches):
    mine, store = one_environment(), Store(tmp_path)
    run(mine, store, quiet())
    whole, curves = names(tmp_path), store.curves(mine)
    assert len(whole) == 9
    damage(store.shards / whole[0])
    again, screen = Store(tmp_path), quiet()
    assert len(again.finished()) == 36 - 4
    run(mine, again, screen)
    assert len(list((tmp_path / "shards" / "damaged").iterdir())) == 1
    assert "Damaged" in screen.file.getvalue()
    assert names(tmp_path) == whole  # the same checksums: the same bits
    assert again.curves(mine).equals(curves)


def test_damaged_agents_make_their_shard_a_damaged_one(tmp_path):
    mine, store = small_study(seeds=1), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs(), with_agents=True)
    flip(next(store.shards.glob("*.safetensors")))
    assert len(Store(tmp_path).open(mine, resume=True)) == 1


def test_a_damaged_list_of_runs_is_written_anew(tmp_path):
    mine, store = small_study(), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    empty(tmp_path / "runs.parquet")
    again = Store(tmp_path)
    again.open(mine, resume=True)
    assert len(again.finished()) == len(shards.planned(tmp_path)) == 18


def test_a_run_in_two_shards_is_counted_once(tmp_path):
    mine, store = small_study(), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs())
    curves = store.curves(mine)
    again = mine.runs()[1:3]
    store.add(again, fake_result(again), with_agents=False)
    assert Store(tmp_path).curves(mine).equals(curves)


# --- Full disks -------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_told_loses_nothing_and_the_study_goes_on(tmp_path, monkeypatch, tiny_batches):
    mine, undisturbed, full = one_environment(), Store(tmp_path / "undisturbed"), Store(tmp_path / "full")
    run(mine, undisturbed, quiet())

    def half(path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def no_space(folder, suffix, write):
        return files.write_by_content(folder, suffix, half if len(names(full.root)) == 3 else write)

    with monkeypatch.context() as disk:
        disk.setattr("morphorl.studies.store.write_by_content", no_space)
        with pytest.raises(StoreError, match=r"cannot be written .No space left on device.. Finished batches are kept"):
            run(mine, full, quiet())
    assert len(names(full.root)) == 3
    assert not list(full.shards.glob(".*"))
    run(mine, full, quiet())
    assert names(full.root) == names(undisturbed.root)


def mount(folder, kilobytes, options=""):
    command = ["mount", "-t", "tmpfs", "-o", f"{options}size={kilobytes}k", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_disk_that_is_really_full_is_told_and_the_study_goes_on(tmp_path, tiny_batches):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount(disk, 48):
        pytest.skip("mounting a small disk needs root")
    try:
        mine, undisturbed = one_environment(seeds=40), Store(tmp_path / "undisturbed")
        run(mine, undisturbed, quiet())
        with pytest.raises(StoreError, match=r"cannot be written .*No space left on device"):
            run(mine, Store(disk / "out"), quiet())
        kept = names(disk / "out")
        assert set(kept) < set(names(undisturbed.root))
        assert len(kept) > 1
        assert mount(disk, 10_000, "remount,")
        run(mine, Store(disk / "out"), quiet())
        assert names(disk / "out") == names(undisturbed.root)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# --- Two writers ------------------------------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path):
    store = Store(tmp_path)
    store.open(small_study(), resume=True)
    before = snapshot(tmp_path)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    first = context.Process(target=hold, args=(tmp_path, ready, done))
    first.start()
    try:
        assert ready.wait(120)
        assert lock.owner(tmp_path)["pid"] == first.pid
        with pytest.raises(StoreError, match=f"process {first.pid} on .* is writing there"):
            run(small_study(), store, quiet())
        after = snapshot(tmp_path)
        assert {path: after[path] for path in before if path != tmp_path} == {
            path: before[path] for path in before if path != tmp_path
        }
    finally:
        first.kill()  # which leaves no time to clean up
        first.join()
    assert lock.owner(tmp_path) is None
    with lock.locked(tmp_path):
        assert lock.owner(tmp_path)["pid"] == os.getpid()


# --- Links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["shards", "study.json", "lock", "shards/damaged", "failed"])
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path, link):
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (elsewhere / "thesis.tex").write_text("three years")
    Store(out).open(small_study(), resume=True)
    path = out / link
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.symlink_to(elsewhere)
    before = snapshot(elsewhere)
    for resume in (True, False):
        with pytest.raises(StoreError, match="is a link that leads out of"):
            run(small_study(), Store(out), quiet(), resume=resume)
    for command in (["status"], ["clean", "--failed"]):
        with pytest.raises(StoreError, match="is a link that leads out of"):
            cli.parse([*command, str(out)])()
    assert snapshot(elsewhere) == before


def test_a_link_out_of_runs_is_not_followed_unless_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "readings").symlink_to("/etc")
    with pytest.raises(SettingError, match="is a link that leads out of 'runs'"):
        folder_of("readings")


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_a_failed_batch_is_noted_does_not_stop_the_others_and_is_tried_again_after_cleaning(
    tmp_path, monkeypatch, tiny_batches, capsys
):
    mine, store, screen = one_environment(), Store(tmp_path), quiet()
    train = batch_training.train_batch

    def failing(runs, *arguments):
        if any(run.seed == 5 for run in runs):
            raise MemoryError("no more of it")
        return train(runs, *arguments)

    with monkeypatch.context() as bad_day:
        bad_day.setattr(batch_training, "train_batch", failing)
        failed = run(mine, store, screen)
    assert 0 < failed < 36
    assert len(store.finished()) == 36 - failed
    assert "MemoryError: no more of it" in screen.file.getvalue()
    status.Status(tmp_path)()
    said = " ".join(capsys.readouterr().out.split())
    assert f"{36 - failed} of 36 runs done, 0 running, {failed} failed, 0 diverged; nobody is working on it" in said
    assert "MemoryError: no more of it" in said

    assert run(mine, Store(tmp_path), quiet()) == failed  # not tried again by itself
    assert len(Store(tmp_path).finished()) == 36 - failed
    clean.Clean(tmp_path, failed=True)()
    assert f"{failed} failed runs will be tried again" in capsys.readouterr().out
    assert run(mine, Store(tmp_path), quiet()) == 0
    assert len(Store(tmp_path).finished()) == 36


def test_status_counts_diverged_runs_and_labels_that_share_a_run_once(tmp_path, capsys):
    mine, store = small_study(seeds=3, first=SMALL, second=SMALL), Store(tmp_path)
    store.open(mine, resume=True)
    fill(store, mine.runs(), diverged=[1])
    status.Status(tmp_path)()
    said = " ".join(capsys.readouterr().out.split())
    assert "6 of 6 runs done, 0 running, 0 failed, 2 diverged" in said


def test_status_tells_who_works_and_how_long_it_will_take(tmp_path, capsys):
    store = Store(tmp_path)
    store.open(small_study(), resume=True)
    with lock.locked(tmp_path):
        now = {"at": time.time(), "running": 32, "seconds_left": 3700}
        (tmp_path / "progress.json").write_text(json.dumps(now))
        status.Status(tmp_path)()
    said = " ".join(capsys.readouterr().out.split())
    assert "0 of 18 runs done, 32 running, 0 failed, 0 diverged; about 1:01:" in said
    assert f"left; process {os.getpid()} on" in said


def test_a_wrong_arm_is_refused_before_anything_is_written(tmp_path):
    mine = dataclasses.replace(small_study(), arms={"a": {"guidance": {"strength": [0.1, float("nan")]}}})
    with pytest.raises(SettingError, match=r'arms\."a": guidance\.strength = nan'):
        run(mine, Store(tmp_path / "out"), quiet())
    assert not (tmp_path / "out").exists()


def test_diverged_runs_stay_in_the_denominator(tmp_path):
    exploding = {"dynamics": {"activator_production": 1e30, "bound": float("inf")}, "guidance": {"strength": 0.1}}
    small = {"ppo": {"num_envs": 2, "rollout_steps": 16, "minibatches": 2, "hidden": [4]}}
    mine = dataclasses.replace(
        one_environment(seeds=2), arms={"well": {}, "badly": exploding}, settings=small, steps=96
    )
    store = Store(tmp_path)
    run(mine, store, quiet())
    curves = store.curves(mine)
    assert curves.filter(arm="badly")["diverged_at"].unique().to_list() == [32]
    assert curves.filter(arm="well")["diverged_at"].is_null().all()
    assert curves.group_by("arm").agg(pl.col("seed").n_unique())["seed"].to_list() == [2, 2]
    assert np.isfinite(curves.filter(arm="badly")["episode_return"].drop_nulls().to_numpy()).all()
