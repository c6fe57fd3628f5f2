"""`morphorl pde`: what it writes, what it says in the odd cases, and what it refuses."""

import json
import re
import sys

import jaxtyping
import numpy as np
import pytest
from PIL import Image

from morphorl import cli
from morphorl.commands import pde
from morphorl.dynamics.pde import sweep
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardtEquation
from morphorl.dynamics.pde.linear_theory import critical_strength

FRAMES = pde.FRAMES


@pytest.fixture(autouse=True)
def as_users_have_it(tmp_path, monkeypatch):
    """No type checker (tyro's placeholders would not pass it), in an empty folder, short films, room for a message."""
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pde, "FRAMES", 4)
    monkeypatch.setattr(pde.console, "_width", 400)
    monkeypatch.setenv("COLUMNS", "400")
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run `morphorl pde` in this process; gives what it printed and the summary that it wrote."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphorl", "pde", "--dims", "1", "--size", "32", "--out", "OUT", *arguments])
        cli.main()
        summary = json.loads((tmp_path / "OUT" / "summary.json").read_text())
        return re.sub(r"\s+", " ", capsys.readouterr().out), summary

    return run


@pytest.mark.parametrize(("dims", "size"), [(1, 64), (2, 24)])
def test_a_run_writes_what_it_measured(dims, size, command, tmp_path, monkeypatch):
    monkeypatch.setattr(pde, "FRAMES", 30)
    printed, summary = command("--dims", str(dims), "--size", str(size), "--length", "20", "--time", "3000")
    out = tmp_path / "OUT"
    assert sorted(p.name for p in out.iterdir()) == ["fields.npz", "film.webp", "pattern.png", "summary.json"]
    predicted, measured = summary["predicted"], summary["measured"]
    assert predicted["pattern"]
    assert measured["kind"] == ("waves" if dims == 1 else "spots")
    assert measured["growth_rate"] == pytest.approx(predicted["growth_rate"], rel=0.02)
    assert measured["wavelength"] == pytest.approx(predicted["wavelength"], rel=0.35)  # two waves fit into the box
    assert summary["notes"] == []
    assert summary["watch"] == {"floored": 0, "negative": 0, "steps": 1500, "dt": 2.0, "blew_up_at": None}
    with np.load(out / "fields.npz", allow_pickle=False) as fields:
        assert fields["activator"].shape == fields["inhibitor"].shape == (31,) + (size,) * dims
        assert fields["times"][[0, -1]].tolist() == [0, 3000]
    assert Image.open(out / "pattern.png").format == "PNG"
    film = Image.open(out / "film.webp")
    assert (film.format, film.n_frames) == ("WEBP", 31)
    assert "pattern: expected by linear theory; found: a pattern" in printed


@pytest.mark.parametrize("strength", [0.003, 0.0036])
def test_a_strength_past_the_boundary_is_named(strength, command):
    printed, summary = command("--guidance.strength", str(strength), "--time", "2000")
    assert summary["equation"]["activator_guidance"] == summary["equation"]["inhibitor_guidance"] == strength
    assert summary["predicted"]["pattern"] == (strength < 0.0033)
    said = f"note: guidance.strength = {strength:g} is past 0.003303, at which linear theory ends the pattern."
    assert (said in printed) == (strength > 0.0033)


def test_a_time_of_zero_measures_nothing(command):
    printed, summary = command("--time", "0")
    assert "note: time = 0: the field is as it started, and nothing was measured." in printed
    assert set(summary["measured"].values()) == {None}


@pytest.mark.parametrize("dims", ["1", "2"])
def test_a_grid_of_one_site_holds_no_pattern(dims, command):
    printed, summary = command("--size", "1", "--dims", dims, "--time", "100")
    assert "note: size = 1: a single site has no neighbour, so that no pattern can form." in printed
    assert not summary["predicted"]["pattern"]
    assert summary["predicted"]["wavelength"] is None


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("activator", "note: equation.activator_diffusion = 0: no length is selected"),
        ("inhibitor", "note: equation.inhibitor_diffusion is not above equation.activator_diffusion: no pattern can"),
    ],
)
def test_no_diffusion_is_named(field, said, command):
    printed, summary = command(f"--equation.{field}-diffusion", "0", "--time", "200")
    assert said in printed
    assert summary["predicted"]["wavelength_on_an_infinite_domain"] is None


def test_a_coarse_grid_is_named(command):
    printed, _ = command("--size", "16", "--time", "100")
    assert "note: the sites are 4 apart, more than a quarter of the predicted wavelength of 8.789" in printed


def test_a_blow_up_is_dated_and_what_came_before_it_is_kept(command, tmp_path):
    # An inhibitor that hardly answers, held up by the floor only.
    wild = ("--equation.inhibitor-decay", "9", "--equation.activator-production", "3", "--equation.floor", "1e-30")
    printed, summary = command(*wild, "--noise", "0.5", "--time", "4000")
    assert "note: the field blew up at time" in printed
    assert summary["watch"]["blew_up_at"] > 0
    with np.load(tmp_path / "OUT" / "fields.npz", allow_pickle=False) as fields:
        assert np.isfinite(fields["activator"]).all()
        assert fields["times"][-1] < summary["watch"]["blew_up_at"]


def test_the_floor_and_overshoot_are_named(command):
    printed, summary = command("--equation.floor", "0.999", "--noise", "0.8", "--time", "20")
    assert summary["watch"]["floored"] > 0
    assert f"note: the floor on h acted {summary['watch']['floored']:,} times" in printed
    assert summary["watch"]["negative"] > 0  # noise almost as large as the steady state starts below 0 at some sites
    assert f"note: a or h was negative {summary['watch']['negative']:,} times" in printed


def test_a_sweep_draws_its_map(command, tmp_path, monkeypatch):
    plan = sweep.plan
    monkeypatch.setattr(sweep, "plan", lambda equation, largest: plan(equation, largest, strengths=4, ratios=3))
    printed, summary = command("--sweep", "--time", "4000", "--guidance.strength", "0.004")
    assert [row["ratio"] for row in summary["boundary"]] == pytest.approx([8, 8 * 10**0.5, 80])
    middle = critical_strength(GiererMeinhardtEquation(inhibitor_diffusion=0.04 * 10**0.5))
    assert [row["theory"] for row in summary["boundary"]] == pytest.approx([0, float(middle), 0.0046], rel=0.01)
    assert "patterns end at γ = " in printed
    with np.load(tmp_path / "OUT" / "sweep.npz", allow_pickle=False) as arrays:
        assert arrays["amplitude"].shape == (3, 4)
        assert arrays["strengths"][-1] == pytest.approx(0.004)
    assert Image.open(tmp_path / "OUT" / "sweep.png").format == "PNG"


REFUSED = [
    (["--equation.activator-diffusion", "nan"], "equation.activator_diffusion = nan: must be a finite number"),
    (["--guidance.strength", "nan"], "guidance.strength = nan: must be a finite number"),
    (["--guidance.strength", "inf"], "guidance.strength = inf: must be a finite number"),
    (["--time", "nan"], "time = nan: must be a finite number of at least 0"),
    (["--time", "-1"], "time = -1.0: must be a finite number of at least 0"),
    (["--noise", "-1"], "noise = -1.0: must be a finite number of at least 0"),
    (["--size", "0"], "grid.size = 0: must be a whole number of at least 1"),
    (["--length", "0"], "grid.length = 0.0: must be a finite number above 0"),
    (["--equation.activator-decay", "0"], "equation.activator_decay = 0: must be above 0"),
    (["--equation.inhibitor-guidance", "0.006"], "leaves no positive steady state to start from"),
    (["--equation.activator-guidance", "0.1", "--guidance.strength", "0.1"], "must not both be set"),
    (["--size", "16000"], "size = 16000: calls for"),
    (["--size", "100000"], "grid.size = 100000: must be a whole number of at least 1 and at most 16,384"),
    (["--sweep", "--equation.activator-guidance", "0.1"], "sweep: sets the guidance of both fields"),
    (["--sweep", "--guidance.strength", "-1"], "guidance.strength = -1.0: must be at least 0 for a sweep"),
    (["--preset", "spot"], "'spot' for argument '--preset'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_what_is_wrong_is_refused_and_nothing_is_written(arguments, message, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pde, "FRAMES", FRAMES)  # whose memory is what a large grid is refused for
    monkeypatch.setattr(sys, "argv", ["morphorl", "pde", "--out", "OUT", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    printed = capsys.readouterr()
    assert end.value.code == 2
    assert message in re.sub(r"\s+", " ", printed.out + printed.err)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_left_alone(monkeypatch, capsys, tmp_path):
    (tmp_path / "OUT").write_text("three years")
    monkeypatch.setattr(sys, "argv", ["morphorl", "pde", "--out", "OUT"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "out = 'OUT': is a file" in capsys.readouterr().err
    assert (tmp_path / "OUT").read_text() == "three years"


def test_a_preset_decides_the_equation_and_options_what_differs(monkeypatch):
    called = []
    monkeypatch.setattr(pde.Pde, "__call__", lambda run: called.append(run))
    for arguments in (["--preset", "stripes"], ["--preset", "stripes", "--equation.floor", "0.5"], []):
        monkeypatch.setattr(sys, "argv", ["morphorl", "pde", *arguments])
        cli.main()
    assert [(run.equation.saturation, run.equation.floor) for run in called] == [(0.25, 1e-3), (0.25, 0.5), (0.0, 1e-3)]
