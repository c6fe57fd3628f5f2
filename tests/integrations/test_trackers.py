"""Trackers get what the files hold: every run, every arm's IQM, and no gaps."""

import struct
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.finished_studies import finish, study
from morphorl.analysis import learning_curves
from morphorl.config.errors import SettingError
from morphorl.integrations import trackers

ARMS = {"plain PPO": {"blend": {"weight": 0.0}}, "γ = 0.1": {"guidance": {"strength": 0.1}}}


@pytest.fixture
def done(tmp_path):
    some = study(ARMS, seeds=3, environments=("CartPole-v1",))
    store = finish(tmp_path / "tiny", some)
    return some, store.curves(some), tmp_path / "tiny"


class Recorder:
    """A tracker's module that keeps what it is told."""

    def __init__(self):
        self.runs = {}

    def init(self, *, name, **options):
        rows = self.runs[name] = {"options": options, "rows": []}

        def finish():
            rows["finished"] = True

        return SimpleNamespace(log=lambda values, step: rows["rows"].append((step, values)), finish=finish)


@pytest.mark.parametrize("kind", ["wandb", "trackio"])
def test_every_run_and_every_arm_is_sent(kind, done, monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, kind, recorder)
    some, curves, root = done
    assert trackers.send(kind, some, curves, root) == 2 * 3 + 2
    assert all(run["finished"] for run in recorder.runs.values())
    rows = recorder.runs["CartPole-v1/standard/γ = 0.1/IQM"]["rows"]
    expected = learning_curves.curve(curves.filter(arm="γ = 0.1"))
    np.testing.assert_allclose([values["iqm"] for _, values in rows], expected.middle)
    assert [step for step, _ in rows] == [int(step) for step in expected.steps]
    options = recorder.runs["CartPole-v1/standard/γ = 0.1/IQM"]["options"]
    assert (options["project"], options["group"]) == ("morphorl-tiny", "CartPole-v1/standard/γ = 0.1")


def test_what_was_not_measured_is_not_sent(done, tmp_path, monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", recorder)
    some = study(ARMS, seeds=3, environments=("CartPole-v1",))
    store = finish(tmp_path / "silent", some, silent=("plain PPO",), evaluated=False)
    trackers.send("wandb", some, store.curves(some), store.root)
    sent = [values for run in recorder.runs.values() for _, values in run["rows"]]
    assert not any(np.isnan(value) for values in sent for value in values.values())
    assert not any("greedy_return" in values for values in sent)


def test_tensorboards_files_hold_the_numbers(done):
    pytest.importorskip("tensorboardX", reason="the extra tensorboard is not installed")
    from tensorboardX.proto.event_pb2 import Event

    some, curves, root = done
    trackers.send("tensorboard", some, curves, root)
    (folder,) = (path for path in (root / "tracking").iterdir() if path.name.endswith("plain PPO · IQM"))
    (file,) = folder.iterdir()
    raw, found, place = file.read_bytes(), {}, 0
    while place < len(raw):  # records: length, its checksum, the event, its checksum
        (length,) = struct.unpack_from("<Q", raw, place)
        event = Event.FromString(raw[place + 12 : place + 12 + length])
        found |= {(v.tag, event.step): v.simple_value for v in event.summary.value}
        place += 16 + length
    expected = learning_curves.curve(curves.filter(arm="plain PPO"))
    for step, middle in zip(expected.steps, expected.middle, strict=True):
        assert found["iqm", int(step)] == pytest.approx(middle, rel=1e-5)


def test_none_sends_nothing_and_a_missing_tracker_is_refused_before_training(done, monkeypatch):
    some, curves, root = done
    assert trackers.send("none", some, curves, root) == 0
    assert not (root / "tracking").exists()
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(SettingError, match="track = 'trackio': needs the extra 'trackio'"):
        trackers.check("trackio")
