"""One row of scores for each run: from curves, to a file, and back to the tables and verdicts that were published."""

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from helpers.finished_studies import finish, study
from morphorl import cli
from morphorl.analysis import coverage, curve_statistics, score_table, scores
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.scores import load_scores
from morphorl.config.errors import StoreError
from morphorl.config.sealed import write_sealed_table
from morphorl.report import summary
from morphorl.studies import results


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root, of = tmp_path_factory.mktemp("study"), study()
    summary.write(of, finish(root, of, diverged=("γ = 0.1",)), Console(file=io.StringIO()))
    return root


def test_each_run_has_one_row_of_the_statistics_of_its_curve(written):
    found, curves = results.curves(written)
    table = scores.table(curves)
    assert len(table) == len(list(found.study.iterate()))
    rows = {"environment": "CartPole-v1", "arm": "γ = 0.1"}
    measured = curve_statistics.measure(curves.filter(**rows), 475.0)
    for name, values in measured.items():
        np.testing.assert_array_equal(table.filter(**rows)[name].to_numpy(), values)
    assert table.filter(**rows)["diverged_at"].to_list() == [320] + [None] * 7
    assert set(table["untrained_return"]) == {22.0}


def test_early_greedy_return_is_the_mean_of_the_evaluations_in_the_first_fifth(written):
    _, curves = results.curves(written)
    rows = curves.filter(environment="CartPole-v1", arm="γ = 0", seed=0)
    early = rows.filter(pl.col("env_steps") <= 0.2 * rows["env_steps"].max())["greedy_return"].mean()
    table = scores.table(curves).filter(environment="CartPole-v1", arm="γ = 0", seed=0)
    assert table["early_greedy_return"].item() == pytest.approx(early)


def test_a_published_folder_gives_the_same_tables_and_verdicts_without_any_run(written, tmp_path, monkeypatch):
    for name in ("study.json", "scores.parquet"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    monkeypatch.setattr("sys.argv", ["morphorl", "summary", str(tmp_path)])
    cli.main()
    for name in ("summary.json", "verdicts.json"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()
    monkeypatch.setattr("sys.argv", ["morphorl", "compare", str(tmp_path)])
    cli.main()
    compared = json.loads((tmp_path / "comparisons.json").read_text())["comparisons"]
    assert compared[0]["differs_in"]


def test_a_table_that_is_none_is_refused_by_name(tmp_path):
    path = tmp_path / scores.FILE
    with pytest.raises(StoreError, match="cannot be read as a table of scores"):
        score_table.read(path)
    for content in (b"", b"PAR1 nonsense"):
        path.write_bytes(content)
        with pytest.raises(StoreError, match="is damaged, or was edited"):
            score_table.read(path)
    write_sealed_table(path, pl.DataFrame({"arm": ["a"]}))
    with pytest.raises(StoreError, match="lacks the columns preset, environment, seed"):
        score_table.read(path)


def test_what_was_not_measured_is_said_and_not_made_up(written):
    table = load_scores(written)[1].with_columns(early_greedy_return=pl.lit(None, pl.Float64))
    assert "early_greedy_return" not in score_table.measured(table)
    with pytest.raises(EvidenceError, match="early_greedy_return was not measured"):
        score_table.known(table, "early_greedy_return")


def test_every_published_table_gives_the_numbers_that_stand_beside_it(request):
    """The committed results: each summary follows from the scores that lie beside it."""
    for path in (request.config.rootpath / "docs" / "results").rglob(scores.FILE):
        of, table = load_scores(Path(path.parent))
        for preset in of.presets:
            folder = path.parent / preset if len(of.presets) > 1 else path.parent
            if not (folder / "summary.json").exists():  # crossed seeds have luck.json
                continue
            published = json.loads((folder / "summary.json").read_text())
            missing = coverage.shortfalls(of, table, preset)
            assert published.pop("incomplete", []) == [one._asdict() for one in missing]
            for environment, arms in published.items():
                for arm, row in arms.items():
                    rows = table.filter(preset=preset, environment=environment, arm=arm)
                    value = float(curve_statistics.iqm(score_table.known(rows, "early_return")))
                    assert value == pytest.approx(row["early_return"]["value"], rel=1e-9), (path, arm)
