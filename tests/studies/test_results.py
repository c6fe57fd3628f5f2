"""A study comes back from its folder, from its command and from its file as what it was."""

import json
import shlex
import tomllib
from dataclasses import replace

import pytest

from helpers.finished_studies import study
from morphorl.config.errors import StoreError
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import results, study_file
from morphorl.studies.library import shipped
from morphorl.studies.store import Store
from morphorl.studies.study import Study

HOSTILE = {"<script>alert(1)</script>": {}, "\"'</script>\\ \u00a0é": {"guidance": {"strength": [0.1, 0.2]}}}
HOSTILE['"' + "{guidance.strength}"] = {"guidance": {"strength": 0.25}, "blend": {"kind": "add"}}


def ids(study):
    return [run.id for run in study.iterate()]


@pytest.mark.parametrize("name", list(shipped()))
def test_a_shipped_study_comes_back_from_its_folder_its_command_and_its_file(name, tmp_path):
    whole = study_file.load(name)
    small = replace(whole, seeds=2, first_seed=5, environments=whole.environments[-1:], presets=("tuned",))
    Store(tmp_path).open(small, resume=True)
    assert results.load(tmp_path).study == small
    assert results.load(tmp_path).versions["morphorl"]
    words = shlex.split(results.command(small))
    assert words[:5] == ["morphorl", "run", name, "--kernel", "xla"]
    assert study_file.load(name, tuple(word for word in words[5:] if word != "--set")) == small
    text = results.to_toml(small)
    assert text is not None
    assert study_file.from_table(tomllib.loads(text)) == small


def test_hostile_labels_come_back_too(tmp_path):
    hostile = study(HOSTILE, presets=("tuned",))
    Store(tmp_path).open(hostile, resume=True)
    assert ids(results.load(tmp_path).study) == ids(hostile)
    text = results.to_toml(hostile)
    assert text is not None
    assert study_file.from_table(tomllib.loads(text)).expand("tuned").keys() == hostile.expand("tuned").keys()
    assert results.command(hostile) == "morphorl run tiny.toml"


@pytest.mark.parametrize("kernel", ["xla", "fused"])
def test_complete_settings_become_a_file_that_runs_the_same(kernel, tmp_path):
    settings = Settings("StatelessCartPole-v1", steps=1000, evaluate_every=0, ppo=PPO(num_envs=2, hidden=(8, 8)))
    trained = Study("train", ("StatelessCartPole-v1",), {"agent": settings}, 3, presets=("tuned",), kernel=kernel)
    Store(tmp_path).open(trained, resume=True)
    assert ids(results.load(tmp_path).study) == ids(trained)
    text = results.to_toml(trained)
    assert text is not None
    assert ids(study_file.from_table(tomllib.loads(text))) == ids(trained)


def test_what_a_file_cannot_say_is_none_and_not_another_study():
    arms = {"short": Settings(steps=1000), "long": Settings(steps=2000)}
    assert results.to_toml(Study("both", ("CartPole-v1",), arms, 2)) is None


def test_a_folder_without_a_study_or_with_another_algorithms_is_refused(tmp_path):
    with pytest.raises(StoreError, match="holds no study"):
        results.load(tmp_path)
    Store(tmp_path).open(study(), resume=True)
    content = read_sealed_json(tmp_path / "study.json")
    write_sealed_json(tmp_path / "study.json", content | {"algorithm": 1})
    with pytest.raises(StoreError, match="version 1 of the algorithm"):
        results.load(tmp_path)
    for wrong in ({}, content | {"seeds": "many"}, content | {"arms": {"a": 3}}):
        write_sealed_json(tmp_path / "study.json", wrong)
        with pytest.raises(StoreError, match="is damaged"):
            results.load(tmp_path)
    for damaged in ("{", "[]", "{}", json.dumps(content)):
        (tmp_path / "study.json").write_text(damaged)
        with pytest.raises(StoreError, match="is damaged"):
            results.load(tmp_path)
