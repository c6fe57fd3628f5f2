import io
import json
from dataclasses import replace

import numpy as np
from rich.console import Console

from helpers.small_studies import fake_result, small_study
from morphorl.ppo.checkpoints import Agents
from morphorl.report import summary as study_summary
from morphorl.studies.store import Store


def written(study, store, result):
    screen = io.StringIO()
    store.open(study, resume=True)
    store.add(study.runs(), result, with_agents=False)
    study_summary.write(study, store, Console(file=screen, width=120))
    return screen.getvalue(), json.loads((store.root / "summary.json").read_text())


def test_a_return_that_nobody_knows_is_called_unknown_and_not_a_number(tmp_path):
    study = small_study()
    result = fake_result(study.runs())
    silent = np.zeros(len(study.runs()), bool)
    silent[0] = True
    curve = result.curve._replace(
        episodes=np.where(silent[:, None], 0, result.curve.episodes),
        episode_return=np.where(silent[:, None], np.nan, result.curve.episode_return),
    )
    screen, summary = written(study, Store(tmp_path), result._replace(curve=curve))
    first = study.runs()[0]
    assert summary[first.settings.environment][first.arm]["final_return"]["value"] is None
    assert screen.count("unknown") == 3 + 1  # its three returns in the table, and the sentence that says why
    assert "In 1 runs no episode ended" in screen


def test_the_screen_and_the_file_say_the_same_where_all_is_known(tmp_path):
    study = small_study()
    screen, summary = written(study, Store(tmp_path), fake_result(study.runs()))
    assert "unknown" not in screen
    values = [row["final_return"]["value"] for arms in summary.values() for row in arms.values()]
    assert all(study_summary.short_number(value) in screen for value in values)
    assert (tmp_path / "figures" / "cartpole.png").exists()


def test_one_seed_has_no_interval_on_the_screen_and_none_in_the_file(tmp_path):
    study = replace(small_study(), seeds=1)
    screen, summary = written(study, Store(tmp_path), fake_result(study.runs()))
    assert "no interval" in screen
    estimate = next(iter(next(iter(summary.values())).values()))["final_return"]
    assert estimate["value"] is not None
    assert estimate["low"] is estimate["high"] is None


def test_one_agent_evaluated_has_no_interval_either(tmp_path):
    settings = next(iter(small_study().arms.values()))
    screen = io.StringIO()
    batch = Agents([settings], [3], None)  # pyright: ignore[reportArgumentType]
    study_summary.write_evaluation(
        batch, np.array([[10.0, 20.0]]), tmp_path, Console(file=screen, width=120), greedy=True
    )
    assert "15.0 (one agent, no interval)" in screen.getvalue()
    held = json.loads((tmp_path / "evaluation_greedy.json").read_text())
    assert held["iqm"] == {"value": 15.0, "low": None, "high": None, "n": 1}
