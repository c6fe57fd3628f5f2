"""Every format, from files written by hand: the numbers in our frame are those in the file."""

import json
import struct

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import logs
from morphorl.analysis.logs import registry
from morphorl.analysis.logs.log import Asked
from morphorl.analysis.logs.runs import load
from morphorl.config.errors import SettingError, StoreError


def only(root, **options):
    """The points of a single run, by kind."""
    found = load([root], **options)
    assert len(found.reading.runs) == 1
    return found.reading.runs[0], {kind: (one.steps, one.returns) for kind, one in found.reading.runs[0].kinds.items()}


def test_each_file_of_the_folder_is_a_format_and_none_claims_another_ones_file(tmp_path):
    keys = [one.key for one in registry.known()]
    assert len(keys) == len(set(keys)) >= 9
    for name, head, key in [
        ("monitor.csv", b'#{"t_start": 1}\nr,l,t\n', "sb3_monitor"),
        ("evaluations.npz", b"PK", "sb3_evaluations"),
        ("progress.csv", b"time/fps,rollout/ep_rew_mean\n", "sb3_progress"),
        ("progress.csv", b"episode_reward_mean,training_iteration\n", "ray_tune"),
        ("result.json", b"{", "ray_tune"),
        ("events.out.tfevents.1.host", b"", "tensorboard"),
        ("export.csv", b'"Step","a - return","a - return__MIN"\n', "wandb_export"),
        ("episodes.csv", b"r,l,t\n", "gymnasium_episodes"),
        ("rejax.npz", b"PK", "npz_arrays"),
        ("table.csv", b"global_step,score\n", "long_table"),
        ("table.parquet", b"PAR1", "long_table"),
    ]:
        assert registry.of(tmp_path / name, head).key == key
    assert registry.of(tmp_path / "model.zip", b"PK") is None


def test_monitors_of_one_folder_are_the_environments_of_one_run_in_the_order_of_time(tmp_path):
    folder = tmp_path / "ppo" / "seed_3"
    logs.monitor(folder, [1.0, 2.0], [10, 20], start=100, times=[1.0, 3.0], name="0.monitor.csv")
    logs.monitor(folder, [5.0, 6.0], [30, 40], start=101, times=[1.0, 3.0], name="1.monitor.csv")
    run, kinds = only(tmp_path)
    assert (run.arm, run.seed, run.environment) == ("ppo", 3, "CartPole-v1")
    assert_array_equal(kinds["training"], ([10, 40, 60, 100], [1, 5, 2, 6]))  # ended at 101, 102, 103, 104


def test_monitors_with_names_of_their_own_are_runs_of_their_own(tmp_path):
    for seed in (0, 1):
        logs.monitor(tmp_path / "logs", [1.0], [10], name=f"ppo_seed{seed}.monitor.csv")
    found = load([tmp_path / "logs"])
    assert [(run.arm, run.seed) for run in found.reading.runs] == [("ppo", 0), ("ppo", 1)]


def test_evaluations_are_means_over_episodes_and_belong_to_the_folders_run(tmp_path):
    folder = tmp_path / "ppo" / "seed_0"
    logs.monitor(folder, [1.0], [10])
    logs.evaluations(folder, [10, 20], [[1.0, 3.0], [4.0, 6.0]])
    run, kinds = only(tmp_path)
    assert run.environment == "CartPole-v1"  # which the monitor alone says
    assert_array_equal(kinds["evaluation"], ([10, 20], [2, 5]))


def test_progress_of_stable_baselines(tmp_path):
    folder = tmp_path / "ppo_1"
    folder.mkdir()
    rows = "rollout/ep_rew_mean,time/total_timesteps,eval/mean_reward\n20.5,2048,\n,2048,30\n21.5,4096,\n"
    (folder / "progress.csv").write_text(rows)
    _, kinds = only(tmp_path)
    assert_array_equal(kinds["training"], ([2048, 4096], [20.5, 21.5]))
    assert_array_equal(kinds["evaluation"], ([2048], [30]))


def test_a_trial_of_ray_tune_says_seed_and_environment_itself(tmp_path):
    trial = tmp_path / "PPO_CartPole-v1_d1"
    trial.mkdir()
    (trial / "params.json").write_text(json.dumps({"env": "CartPole-v1", "seed": 7, "lr": 0.1}))
    lines = [
        {"training_iteration": 1, "num_env_steps_sampled_lifetime": 4000, "env_runners": {"episode_return_mean": None}},
        {"training_iteration": 2, "num_env_steps_sampled_lifetime": 8000, "env_runners": {"episode_return_mean": 31.5}},
    ]
    (trial / "result.json").write_text("\n".join(map(json.dumps, lines)) + '\n{"training_iter')  # killed while writing
    run, kinds = only(tmp_path, pattern="{arm}_d{}")
    assert (run.seed, run.environment) == (7, "CartPole-v1")
    assert_array_equal(kinds["training"], ([8000], [31.5]))


def test_result_json_counts_where_a_trial_has_progress_csv_too(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "progress.csv").write_text("timesteps_total,episode_reward_mean\n100,1\n")
    _, kinds = only(tmp_path)
    assert_array_equal(kinds["training"], ([100], [1]))
    (tmp_path / "a" / "result.json").write_text('{"timesteps_total": 100, "episode_reward_mean": 2}\n')
    _, kinds = only(tmp_path)
    assert_array_equal(kinds["training"], ([100], [2]))


def test_an_export_of_weights_and_biases_has_a_run_for_each_column(tmp_path):
    export = tmp_path / "chart.csv"
    head = [f"CartPole-v1__ppo__{name}" for name in ("1__9 - return", "1__9 - return__MIN", "2__9 - return")]
    export.write_text(",".join(f'"{name}"' for name in ["Step", *head]) + '\n10,"1","0","3"\n20,"2","0",""\n')
    found = load([export])
    assert [(run.environment, run.arm, run.seed) for run in found.reading.runs] == [
        ("CartPole-v1", "ppo", 1),
        ("CartPole-v1", "ppo", 2),
    ]
    assert_array_equal(found.reading.runs[0].kinds["training"].returns, [1, 2])
    assert_array_equal(found.reading.runs[1].kinds["training"].steps, [10])


def test_episodes_of_gymnasium(tmp_path):
    folder = tmp_path / "ppo" / "seed_1"
    folder.mkdir(parents=True)
    (folder / "episodes.csv").write_text("r,l,t\n9.0,9,0.1\n11.0,11,0.2\n")
    run, kinds = only(tmp_path)
    assert (run.arm, run.seed) == ("ppo", 1)
    assert_array_equal(kinds["training"], ([9, 20], [9, 11]))


def test_arrays_of_many_seeds(tmp_path):
    returns = np.arange(24.0).reshape(2, 3, 4)  # seeds × points × episodes, as rejax gives them
    np.savez(tmp_path / "ppo.npz", steps=[10, 20, 30], evaluations=returns, seeds=[5, 6], env="CartPole-v1")
    found = load([tmp_path / "ppo.npz"])
    assert [(run.arm, run.seed) for run in found.reading.runs] == [("ppo", 5), ("ppo", 6)]
    assert_array_equal(found.reading.runs[1].kinds["evaluation"].returns, returns[1].mean(axis=1))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_long_table_has_a_run_for_each_of_its_labels(tmp_path, suffix):
    table = pl.DataFrame(
        {"algo": ["x", "x", "y", "y"], "k": [0, 0, 0, 0], "t": [1, 2, 1, 2], "score": [1.0, 2.0, 3.0, 4.0]}
    )
    path = tmp_path / f"all.{suffix}"
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    found = load([path], columns={"step": "t", "return": "score", "seed": "k", "arm": "algo"})
    assert [(run.arm, run.seed, *run.kinds["training"].returns) for run in found.reading.runs] == [
        ("x", 0, 1, 2),
        ("y", 0, 3, 4),
    ]


def test_columns_that_are_not_named_are_asked_for_and_those_that_may_be_either_too(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SettingError, match=r"which columns are step and return.*'a', 'b'.*--columns step="):
        load([path])
    path.write_text("step,global_step,return\n1,2,3\n")
    with pytest.raises(SettingError, match="step and global_step may both be the step"):
        load([path])
    with pytest.raises(SettingError, match=r"no column 'retrun'.*Did you mean 'return'"):
        load([path], columns={"step": "step", "return": "retrun"})


# --- Event files ------------------------------------------------------------------------------------------------------


def events(folder, scalars, name="events.out.tfevents.100.host"):
    """An event file, by the well-kept writer."""
    writer = pytest.importorskip("tensorboardX").SummaryWriter(str(folder))
    for tag, step, value in scalars:
        writer.add_scalar(tag, value, step)
    writer.close()
    path = next(folder.glob("events*"))
    return path.rename(folder / name)


def test_a_scalar_of_event_files_is_what_was_written(tmp_path):
    scalars = [("charts/episodic_return", step, step / 3) for step in (10, 20, 30)]
    events(tmp_path / "CartPole-v1__ppo__1__9", [*scalars, ("losses/value", 10, 1.0)])
    run, kinds = only(tmp_path)
    assert (run.environment, run.arm, run.seed) == ("CartPole-v1", "ppo", 1)
    assert_allclose(kinds["training"], ([10, 20, 30], [10 / 3, 20 / 3, 10]), rtol=1e-6)
    _, kinds = only(tmp_path, tag="losses/value")
    assert_array_equal(kinds["training"], ([10], [1]))
    with pytest.raises(SettingError, match=r"tag = 'losses/valeu'.*Did you mean 'losses/value'"):
        load([tmp_path], tag="losses/valeu")


def test_an_event_file_that_ends_in_the_middle_is_read_up_to_there(tmp_path):
    path = events(tmp_path / "ppo_1", [("rollout/ep_rew_mean", step, step) for step in range(1, 21)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    run, kinds = only(tmp_path)
    assert_array_equal(kinds["training"][0], range(1, 20))
    assert "ends in the middle of a record" in run.kinds["training"].notes[0]
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(8) + whole[middle + 8 :])
    run, _ = only(tmp_path)
    assert "is damaged at byte" in run.kinds["training"].notes[0]


def test_a_second_event_file_in_a_folder_goes_on_where_the_first_was_stopped(tmp_path):
    folder = tmp_path / "ppo_1"
    first = events(folder, [("rollout/ep_rew_mean", step, 1.0) for step in range(10, 101, 10)])
    first.rename(tmp_path / "kept")
    events(folder, [("rollout/ep_rew_mean", step, 2.0) for step in range(70, 121, 10)], "events.out.tfevents.200.host")
    (tmp_path / "kept").rename(first)
    run, kinds = only(tmp_path)
    assert_array_equal(kinds["training"], (range(10, 121, 10), [1.0] * 6 + [2.0] * 6))
    assert "restarted" in run.kinds["training"].notes[0]


def test_tensors_of_one_number_are_scalars_too(tmp_path):
    """Version 2 of summaries, as TensorFlow writes them."""
    pb = pytest.importorskip("tensorboardX.proto.event_pb2")
    summary = pytest.importorskip("tensorboardX.proto.summary_pb2")
    writer = pytest.importorskip("tensorboardX.record_writer")
    value = summary.Summary.Value(tag="eval/mean_reward")
    value.tensor.dtype = 1
    value.tensor.tensor_content = struct.pack("<f", 2.5)
    folder = tmp_path / "ppo_1"
    folder.mkdir()
    out = writer.RecordWriter(str(folder / "events.out.tfevents.1.h"))
    out.write(pb.Event(step=5, summary=summary.Summary(value=[value])).SerializeToString())
    out.close()
    _, kinds = only(tmp_path)
    assert_array_equal(kinds["evaluation"], ([5], [2.5]))


def test_a_format_can_be_asked_for(tmp_path):
    logs.monitor(tmp_path / "ppo" / "seed_0", [1.0], [10])
    (tmp_path / "ppo" / "seed_0" / "progress.csv").write_text("rollout/ep_rew_mean,time/total_timesteps\n7,100\n")
    _, kinds = only(tmp_path)
    assert_array_equal(kinds["training"][1], [1])  # the more exact log
    _, kinds = only(tmp_path, format="sb3_progress")
    assert_array_equal(kinds["training"][1], [7])
    with pytest.raises(SettingError, match=r"format = 'sb3_monitr'.*Did you mean 'sb3_monitor'"):
        load([tmp_path], format="sb3_monitr")


def test_two_logs_of_one_run_are_refused(tmp_path):
    for folder in ("x/ppo/seed_0", "y/ppo/seed_0"):
        logs.monitor(tmp_path / folder, [1.0], [10])
    with pytest.raises(SettingError, match="must be told apart"):
        load([tmp_path], pattern="{arm}/seed_{seed}")


def test_a_damaged_json_line_is_refused(tmp_path):
    (tmp_path / "result.json").write_text("{]\n{}\n")
    with pytest.raises(StoreError, match="line 1 is no JSON"):
        list(registry.named("ray_tune").read([tmp_path / "result.json"], Asked()))
