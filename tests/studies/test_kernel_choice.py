"""Which kernel trains a study: said, held by its folder, or chosen; and never two in one."""

import dataclasses
import json

import pytest

from helpers.small_studies import SMALL, fill, small_study
from morphorl.commands.report import Report
from morphorl.config.errors import SettingError, StoreError
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.ppo import kernels
from morphorl.ppo.fused import learning as fused
from morphorl.studies import kernel_choice, results
from morphorl.studies.kernel_choice import with_kernel
from morphorl.studies.runner import run_study
from morphorl.studies.store import Store
from morphorl.studies.study import Study


@pytest.fixture
def available(monkeypatch):
    monkeypatch.setattr(kernels, "unavailable", lambda: None)


def ids(study):
    return {run.id for run in study.iterate()}


def wide_study():
    """`small_study` with networks that the fused kernel knows: 18 runs of 96 steps."""
    ppo = dataclasses.replace(SMALL.ppo, hidden=(16, 16))
    arms = {label: dataclasses.replace(arm, ppo=ppo) for label, arm in small_study().arms.items()}
    return dataclasses.replace(small_study(), arms=arms)


def opened(study, folder):
    Store(folder).open(study, resume=True)
    return folder


def test_what_is_said_counts(tmp_path, available):
    assert with_kernel(small_study(), tmp_path, "xla").kernel == "xla"
    assert with_kernel(small_study(), tmp_path, "fused").kernel == "fused"


@pytest.mark.parametrize(("least", "chosen"), [(1, "fused"), (18 * 96, "fused"), (18 * 96 + 1, "xla")])
def test_a_new_study_takes_the_fused_one_where_it_pays(least, chosen, tmp_path, available, monkeypatch):
    monkeypatch.setattr(kernel_choice, "WORTH_STEPS", least)
    assert with_kernel(wide_study(), tmp_path, "auto").kernel == chosen


def test_steps_that_the_fused_one_cannot_learn_from_do_not_count(tmp_path, available, monkeypatch):
    monkeypatch.setattr(kernel_choice, "WORTH_STEPS", 1)
    plain = {"blend": {"kind": "none"}}
    assert with_kernel(Study("wide", ("CartPole-v1",), {"a": plain}, 2), tmp_path, "auto").kernel == "fused"
    assert with_kernel(Study("host", ("gym:CartPole-v1",), {"a": plain}, 2), tmp_path, "auto").kernel == "xla"
    assert with_kernel(small_study(), tmp_path, "auto").kernel == "xla"


def test_a_machine_without_it_takes_the_other_one(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_choice, "WORTH_STEPS", 1)
    monkeypatch.setattr(kernels, "unavailable", lambda: "it needs a processor with AVX2")
    assert with_kernel(wide_study(), tmp_path, "auto").kernel == "xla"


@pytest.mark.parametrize("kernel", ["xla", "fused"])
def test_a_study_goes_on_with_the_kernel_it_was_begun_with(kernel, tmp_path, available, monkeypatch):
    monkeypatch.setattr(kernel_choice, "WORTH_STEPS", 1)
    opened(dataclasses.replace(small_study(), kernel=kernel), tmp_path)
    assert with_kernel(small_study(seeds=5), tmp_path, "auto").kernel == kernel
    assert results.load(tmp_path).study.kernel == kernel


def test_two_kernels_are_two_studies(tmp_path):
    xla = small_study()
    fused = dataclasses.replace(xla, kernel="fused")
    assert not ids(xla) & ids(fused)
    opened(xla, tmp_path)
    for other in (fused, dataclasses.replace(fused, first_seed=100)):
        with pytest.raises(StoreError, match=r"holds another study \(kernel is 'xla' there and 'fused' here\)"):
            Store(tmp_path).check(other)


@pytest.mark.parametrize("kernel", ["xla", "fused"])
def test_whole_runs_tell_the_kernel_of_a_damaged_folder(kernel, tmp_path, available):
    study = dataclasses.replace(small_study(), kernel=kernel)
    fill(Store(opened(study, tmp_path)), study.runs())
    (tmp_path / "study.json").write_text("{")
    assert with_kernel(small_study(), tmp_path, "auto").kernel == kernel


def test_a_study_from_before_there_were_two_is_xlas(tmp_path):
    study = small_study()
    fill(Store(opened(study, tmp_path)), study.runs())
    content = {key: value for key, value in read_sealed_json(tmp_path / "study.json").items() if key != "kernel"}
    write_sealed_json(tmp_path / "study.json", content)
    assert results.load(tmp_path).study == study
    assert with_kernel(study, tmp_path, "auto").kernel == "xla"
    assert Store(tmp_path).open(study, resume=True) == []
    assert len(Store(tmp_path).finished()) == len(ids(study))


def test_an_unknown_kernel_and_one_for_an_arm_alone_are_refused():
    with pytest.raises(SettingError, match=r"kernel = 'fast': must be one of 'xla', 'fused'\."):
        dataclasses.replace(small_study(), kernel="fast")
    with pytest.raises(SettingError, match="kernel: no such setting"):
        Study("mixed", ("CartPole-v1",), {"one": {"kernel": "fused"}}, 1)


def test_a_kernel_that_is_not_there_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "unavailable", lambda: "it needs a processor with AVX2")
    study = dataclasses.replace(small_study(), kernel="fused")
    with pytest.raises(SettingError, match=r"kernel = 'fused': cannot be used here: it needs a processor with AVX2"):
        run_study(study, tmp_path / "new", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_report_needs_no_kernel(tmp_path, monkeypatch):
    study = dataclasses.replace(small_study(), kernel="fused")
    fill(Store(opened(study, tmp_path)), study.runs())
    monkeypatch.setattr(kernels, "unavailable", lambda: "it needs a processor with AVX2")
    Report((tmp_path,))()
    assert "<dt>kernel</dt><dd>fused</dd>" in (tmp_path / "report.html").read_text()


@pytest.mark.skipif(kernels.unavailable() is not None, reason=str(kernels.unavailable()))
def test_the_kernel_trains_a_study_and_its_folder_says_so(tmp_path, monkeypatch):
    called, learn = [], fused.learn
    monkeypatch.setattr(fused, "learn", lambda *given: called.append(given) or learn(*given))
    settings = dataclasses.replace(SMALL, ppo=dataclasses.replace(SMALL.ppo, hidden=(16, 16)), evaluate_every=0)
    study = Study("fused", ("CartPole-v1",), {"agent": settings}, 2, kernel="fused")
    assert run_study(study, tmp_path, progress=False) == 0
    assert called
    assert json.loads((tmp_path / "study.json").read_text())["kernel"] == "fused"
    assert Store(tmp_path).curves(study)["diverged_at"].is_null().all()
