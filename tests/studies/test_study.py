"""Studies and study files: what they say is what is run, and what is wrong in them is refused in a sentence."""

import dataclasses
import datetime
import hashlib
import re
import tomllib
from collections import Counter

import jaxtyping
import numpy as np
import pytest

from morphorl.config.choices import program_of
from morphorl.config.errors import SettingError
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.studies import study_file
from morphorl.studies.arms import expand, shown
from morphorl.studies.batches import programs
from morphorl.studies.library import introduction, shipped
from morphorl.studies.study import Study

FILE = """
name = "strengths"
environments = ["CartPole-v1", "StatelessCartPole-v1"]
presets = ["standard", "tuned"]
seeds = 3
first_seed = 7
steps = 4096
evaluate_every = 1024
evaluation_episodes = 2

[settings]
ppo.hidden = [8, 8]
dynamics.bound = inf

[arms."plain"]
blend.kind = "none"

[arms."γ = {guidance.strength}, {dynamics.coupling}"]
guidance.strength = [0, 0.1]
dynamics.coupling = ["mean", "ring"]
"""

IN_PYTHON = Study(
    "strengths",
    ("CartPole-v1", "StatelessCartPole-v1"),
    {
        "plain": {"blend": {"kind": "none"}},
        "γ = {guidance.strength}, {dynamics.coupling}": {
            "guidance": {"strength": [0, 0.1]},
            "dynamics": {"coupling": ["mean", "ring"]},
        },
    },
    seeds=3,
    first_seed=7,
    steps=4096,
    evaluate_every=1024,
    evaluation_episodes=2,
    presets=("standard", "tuned"),
    settings={"ppo": {"hidden": [8, 8]}, "dynamics": {"bound": float("inf")}},
)


@pytest.fixture(autouse=True)
def as_users_have_it():
    """No type checker in front: the settings' own checks must do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def written(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return str(path)


def test_a_file_and_python_say_the_same(tmp_path):
    mine = study_file.load(written(tmp_path, FILE))
    assert mine == IN_PYTHON
    assert [run.id for run in mine.runs()] == [run.id for run in IN_PYTHON.runs()]


def test_every_combination_is_run_with_its_own_settings_and_label():
    runs = IN_PYTHON.runs()
    assert len(runs) == IN_PYTHON.size == 2 * 2 * 3 * 5
    labels = [(run.preset, run.settings.environment, run.seed, run.arm) for run in runs]
    arms = ["plain", "γ = 0, mean", "γ = 0, ring", "γ = 0.1, mean", "γ = 0.1, ring"]
    assert labels == [
        (preset, environment, seed, arm)
        for preset in ("standard", "tuned")
        for environment in ("CartPole-v1", "StatelessCartPole-v1")
        for seed in (7, 8, 9)
        for arm in arms
    ]
    last = runs[-1]
    tuned = dataclasses.replace(PRESETS["tuned"], hidden=(8, 8))
    assert last.settings == Settings(
        "StatelessCartPole-v1",
        4096,
        1024,
        2,
        ppo=tuned,
        dynamics=ReactionDiffusion(coupling="ring", bound=float("inf")),
        guidance=Blind(strength=0.1),
    )
    assert len({run.id for run in runs}) == len(runs)


def test_an_arm_may_be_complete_settings():
    settings = Settings(steps=1024, guidance=Blind(strength=0.3))
    runs = Study("mine", ("StatelessCartPole-v1",), {"mine": settings}, 1).runs()
    assert [run.settings for run in runs] == [dataclasses.replace(settings, environment="StatelessCartPole-v1")]


def test_a_list_is_an_axis_except_where_the_setting_is_a_list():
    arm = {"ppo": {"hidden": [[8], [8, 4]], "epochs": [1, 2]}}
    assert [label for label, _ in expand("{ppo.hidden} {ppo.epochs}", arm)] == ["8 1", "8 2", "8-4 1", "8-4 2"]
    assert [values for _, values in expand("a", {"ppo": {"hidden": [8, 4]}})] == [{"ppo": {"hidden": [8, 4]}}]


def test_an_axis_that_the_label_does_not_mention_is_added_to_it():
    assert [label for label, _ in expand("a", {"guidance": {"strength": [0.0, 0.5]}})] == [
        "a, strength = 0",
        "a, strength = 0.5",
    ]


def test_labels_tell_close_numbers_apart():
    assert shown(0.1234567) != shown(0.12345671)
    assert [shown(value) for value in (0.1, 1.0, 1_000_000, 2.5e-4, True, "ring", float("inf"))] == [
        "0.1", "1", "1000000", "0.00025", "true", "ring", "inf",
    ]  # fmt: skip


def changed(old, new):
    assert old in FILE
    return FILE.replace(old, new)


REFUSED = {
    "no TOML": (FILE + "\nx = = 2", r"study\.toml: is not TOML: .*line \d+"),
    "an unknown key": (changed("seeds", "sedes"), "sedes: no such key; must be one of .* Did you mean 'seeds'?"),
    "a table outside of settings": (
        changed("seeds", "ppo"),
        "ppo: no such key; must be one of .* Say settings.ppo for all arms",
    ),
    "a missing key": (changed("seeds = 3", ""), "seeds: missing; a study needs"),
    "a path as name": (changed('"strengths"', '"../x"'), r"name = '\.\./x': must be 1 to 64 letters"),
    "an absolute path as name": (changed('"strengths"', '"/etc/x"'), "name = '/etc/x': must be 1 to 64 letters"),
    "a way out as name": (changed('"strengths"', '"a/../../b"'), "must be 1 to 64 letters"),
    "dots as name": (changed('"strengths"', '".."'), "must be 1 to 64 letters"),
    "a line break in the name": (changed('"strengths"', r'"a\n"'), "must be 1 to 64 letters"),
    "a long name": (changed('"strengths"', f'"{"x" * 300}"'), r"\(300 characters\).*must be 1 to 64 letters"),
    "a number as name": (changed('"strengths"', "3"), "name = 3: must be"),
    "no seeds": (changed("seeds = 3", "seeds = 0"), "seeds = 0: must be a whole number of at least 1"),
    "seeds as text": (changed("seeds = 3", 'seeds = "3"'), "seeds = '3': must be a whole number"),
    "half a seed": (changed("seeds = 3", "seeds = 1.5"), "seeds = 1.5: must be a whole number"),
    "true seeds": (changed("seeds = 3", "seeds = true"), "seeds = True: must be a whole number"),
    "more seeds than numbers": (changed("first_seed = 7", "first_seed = 2147483647"), "first_seed = .*below 2³¹"),
    "an unknown preset": (changed('"tuned"', '"tunde"'), "presets = 'tunde': must be one of .* Did you mean 'tuned'?"),
    "a preset twice": (changed('"tuned"', '"standard"'), "presets = .*must not name one twice"),
    "an unknown environment": (changed('"CartPole-v1"', '"CartPol-v1"'), "environment = 'CartPol-v1'.*Did you mean"),
    "no list of environments": (changed('["CartPole-v1", "StatelessCartPole-v1"]', "3"), "environments = 3: must be"),
    "no environment": (changed('["CartPole-v1", "StatelessCartPole-v1"]', "[]"), "environments = .*must be a list"),
    "too few steps": (changed("steps = 4096", "steps = 100"), "steps = 100: must be at least one rollout"),
    "an unknown setting": (
        changed("dynamics.bound", "dynamics.bond"),
        r"dynamics\.bond: no such setting.*Did you mean 'bound'?",
    ),
    "an unknown value": (
        changed('["mean", "ring"]', '["mean", "rign"]'),
        r"arms\.\"γ = \{guidance\.strength\}, \{dynamics\.coupling\}\": "
        r"dynamics\.coupling = 'rign': .* Did you mean 'ring'?",
    ),
    "a value for a table": (changed("dynamics.bound = inf", "dynamics = 3"), "dynamics = 3: must be a table"),
    "steps in an arm": (changed('blend.kind = "none"', "steps = 3"), r"arms\.\"plain\": steps: no such setting"),
    "an arm that is no table": (FILE + '\n[settings.x]\n[arms]\n"b" = 3', "is not TOML|arms.b = 3"),
    "an empty axis": (changed("[0, 0.1]", "[]"), r"guidance\.strength = \[\]: must hold at least one"),
    "a label of nothing": (
        changed("{dynamics.coupling}", "{dynamics.couplng}"),
        r"\{dynamics\.couplng\}: must be .* Did you mean",
    ),
    "one label twice": (changed("[0, 0.1]", "[0.1, 0.1]"), "γ = 0.1, mean.*: two arms have this label; must be unique"),
    "a sweep in the settings": (
        changed("dynamics.bound = inf", "dynamics.bound = [1.0, 2.0]"),
        r"dynamics\.bound = \[1\.0, 2",
    ),
    "a label of no setting": (
        changed("plain", "a {guidance.strenght}"),
        r"\{guidance\.strenght\}: must be a setting of",
    ),
    "a label with a number": (changed("plain", "a {0}"), r"\{0\}: must be a setting of this arm: blend\.kind"),
    "a label with nothing in braces": (changed("plain", "a {}"), r"\{\}: must be a setting of this arm"),
    "a label with half a brace": (changed("plain", "a {"), "a brace in the label has no partner"),
    "an empty label": (changed("plain", ""), "arms.'': must be a label of one character or more"),
    "a label of spaces": (changed("plain", "  "), "must be a label of one character or more"),
    "a label with a line break": (changed("plain", r"a\nb"), r'arms\."a\\nb": must be a label of one line'),
    "a label with a NUL": (changed("plain", r"a\u0000"), "must be a label of one line, without control characters"),
    "a long label": (changed("plain", "x" * 50_000), r"\(50000 characters\).*at most 500 characters"),
    "a kind that is a list": (
        changed('blend.kind = "none"', 'dynamics.kind = [["blind"]]'),
        "dynamics.kind = .*a name",
    ),
    "a table and a value": (
        changed('blend.kind = "none"', 'dynamics.kind = "gierer_meinhardt"\ndynamics.bound.floor = 1'),
        "dynamics.bound = inf: must be a table of settings",
    ),
    "a name with a dot": (
        changed('blend.kind = "none"', 'dynamics."equation.floor" = 1.0'),
        r'dynamics\."equation\.floor": no such setting',
    ),
    "a sweep below no table": (changed('blend.kind = "none"', "dynamics.foo.bar = [1, 2]"), "no such setting"),
    "a date as name": (changed('"strengths"', "1979-05-27"), "name = 1979-05-27: must be text, a number"),
    "a date among seeds": (changed("seeds = 3", "seeds = 1979-05-27"), "seeds = 1979-05-27: must be text"),
    "a time in a sweep": (changed("[0, 0.1]", "[0, 07:32:00]"), "guidance.strength = 07:32:00: must be text"),
    "environments as lists": (
        changed('["CartPole-v1", "StatelessCartPole-v1"]', '[["CartPole-v1"]]'),
        "environments = ",
    ),
    "an environment twice": (changed('"StatelessCartPole-v1"', '"CartPole-v1"'), "must not name one twice"),
    "an empty environment": (changed('"StatelessCartPole-v1"', '""'), "environment = '': must be one of"),
    "a width that is true": (changed("[8, 8]", "[true]"), r"ppo\.hidden = \(True,\): must be one or more whole"),
    "a width that is no whole number": (changed("[8, 8]", "[8.0]"), r"ppo\.hidden = \(8\.0,\): must be one or more"),
    "a number that overflows": (changed("= inf", "= 1e400"), "1e400: must be a number below"),
    "a number above single precision": (
        changed("= inf", "= 1e308"),
        r"dynamics\.bound = 1e\+308: must be 0, or of a size",
    ),
    "a nan": (changed("= inf", "= nan"), "dynamics.bound = nan: must be a number above 0"),
    "a truth value for a number": (changed("= inf", "= true"), "dynamics.bound = True: must be a number above 0"),
    "arms as a list": (
        'name = "a"\nenvironments = ["CartPole-v1"]\nseeds = 1\narms = [1]',
        r"arms = \[1\]: must be a table",
    ),
    "too many seeds": (changed("seeds = 3", "seeds = 1000000000000"), "runs: must be at most 2,000,000"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_file_is_refused_with_file_key_value_and_what_is_allowed(tmp_path, text, message):
    with pytest.raises(SettingError, match=message) as error:
        study_file.load(written(tmp_path, text))
    assert str(error.value).startswith("study.toml: ")


def test_a_sweep_of_a_billion_is_counted_and_not_expanded(tmp_path):
    names = ["activator_diffusion", "inhibitor_diffusion", "activator_decay", "inhibitor_decay", "drive", "dt"]
    sweep = "\n".join(f"dynamics.{name} = {[0.01 * k for k in range(1, 33)]}" for name in names)
    text = f'name = "x"\nenvironments = ["CartPole-v1"]\nseeds = 1\n[arms.a]\n{sweep}'
    with pytest.raises(SettingError, match="1,073,741,824 runs: must be at most 2,000,000"):
        study_file.load(written(tmp_path, text))


def test_a_file_too_large_to_be_a_study_is_not_read(tmp_path):
    with pytest.raises(SettingError, match=r"has 1,\d+,\d+ bytes; must be at most 1,000,000"):
        study_file.load(written(tmp_path, "#" * 1_100_000))


def test_changes_are_merged_into_the_file(tmp_path):
    path = written(tmp_path, FILE)
    study = study_file.load(
        path, ["seeds = 5", "settings.ppo.epochs=2", 'presets=["tuned"]', "arms.plain.dynamics.dt=0.5"]
    )
    assert (study.seeds, study.presets) == (5, ("tuned",))
    assert study.settings == {"ppo": {"hidden": [8, 8], "epochs": 2}, "dynamics": {"bound": float("inf")}}
    assert study.arms["plain"] == {"blend": {"kind": "none"}, "dynamics": {"dt": 0.5}}
    assert len(study.arms) == 2


@pytest.mark.parametrize("change", ["seeds", "=4", "seeds=", "seeds=4\nsteps=5", "name=x", "[arms]", "seeds==4"])
def test_a_change_that_is_none_is_refused(change):
    with pytest.raises(SettingError, match=r"--set .*(must be key=value|text needs quotes)"):
        study_file.load("blind_dynamics", [change])


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_study_can_be_planned_and_says_what_it_asks(name):
    study = study_file.load(name)
    assert study.name == name
    assert len(introduction(shipped()[name])) > 40
    assert len(list(study.iterate())) == study.size


def test_whoever_follows_the_checks_sees_every_arm_and_how_many_there_are():
    seen, totals = [], []

    def follow(items, total, doing):
        totals.append(total)
        for label, settings in items:
            seen.append(label)
            yield label, settings

    study = study_file.load("blind_dynamics", follow=follow)
    assert seen == [label for preset in study.presets for label in study.expand(preset)]
    assert totals == [len(study.expand(preset)) for preset in study.presets]


def test_the_multiverse_has_every_combination_of_the_readings_in_four_programs():
    study = study_file.load("readings", ["seeds=1"])
    settings = [run.settings for run in study.iterate()]
    readings = {
        (s.dynamics.coupling, s.dynamics.initial, s.dynamics.emphasis, s.dynamics.bound, s.blend.kind) for s in settings
    }
    assert len(readings) == 2 * 2 * 3 * 2 * 2
    guided = [s for s in settings if s.blend.weight and s.dynamics.initial_scale]
    assert len({s.digest for s in guided}) == 48 * 5 * 4
    assert len(programs(study.iterate())) == 4
    assert len({program_of(s) for s in settings}) == 4


IDENTITIES = {
    "readings": "d48d0493b7efbb9aa0321d3e8e5b7cb6",
    "controls": "fb45133da73c1b75dee5b5da359b014e",
    "memory_guided": "401f1fb1889198f47e6d920526ade00f",
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_runs_are_named_and_ordered_as_those_that_are_stored(name):
    """Whoever changes what a shipped study asks writes the new hash down, and trains it again."""
    told = hashlib.sha256()
    for run in study_file.load(name).iterate():
        told.update(f"{run.arm}|{run.id}|{run.preset}|{run.settings.environment}|{run.settings.digest}\n".encode())
    assert told.hexdigest()[:32] == IDENTITIES[name]


def test_arms_are_checked_once_and_equal_tables_are_one(monkeypatch):
    Study("warm", ("CartPole-v1",), {"x": {}}, 1).expand("standard")  # what is usual is made once a process
    swept = {"guidance": {"strength": [0.01 * k for k in range(1, 101)]}, "dynamics": {"coupling": "ring"}}
    study = Study("a", ("CartPole-v1", "StatelessCartPole-v1"), {"x": swept}, 2)
    checked = Counter()
    for cls in (ReactionDiffusion, Blind, PPO):
        check = cls.__check_init__

        def counted(self, cls=cls, check=check):
            checked[cls] += 1
            check(self)

        monkeypatch.setattr(cls, "__check_init__", counted)
    study.expand("standard")
    assert [len({run.id for run in study.iterate()}) for _ in range(2)] == [400, 400]
    assert checked == {ReactionDiffusion: 1, Blind: 100}  # and the preset is as it was
    assert len({id(run.settings) for _ in range(2) for run in study.iterate()}) == 200


def test_what_python_gives_an_arm_is_plain():
    for value in (np.arange(3), datetime.date(1979, 5, 27), 16**5_000, [np.int64(3)]):
        with pytest.raises(SettingError, match=r"guidance\.strength = .*must be (text, a number|a whole number of 64)"):
            Study("a", ("CartPole-v1",), {"x": {"guidance": {"strength": value}}}, 1)
    with pytest.raises(SettingError, match="settings = 3: must be a table of settings"):
        Study("a", ("CartPole-v1",), {"x": 3}, 1)  # pyright: ignore[reportArgumentType]


def test_identities_do_not_depend_on_how_a_study_is_written():
    swept = Study("a", ("CartPole-v1",), {"x": {"guidance": {"strength": [0.0, 0.1]}}}, 2)
    single = Study("b", ("CartPole-v1",), {"y": {"guidance": {"strength": 0.1}}}, 2)
    modules = Study("c", ("CartPole-v1",), {"z": Settings(guidance=Blind(strength=0.1))}, 2)
    ids = [[run.id for run in study.runs() if run.settings.guidance.strength] for study in (swept, single, modules)]
    assert ids[0] == ids[1] == ids[2]


def test_a_whole_number_is_the_same_run_as_the_float_of_that_value():
    whole, real = (Study("a", ("CartPole-v1",), {"x": {"guidance": {"strength": s}}}, 1).runs()[0] for s in (1, 1.0))
    assert whole.id == real.id


def test_the_files_in_the_package_are_toml():
    for path in shipped().values():
        assert re.search(r"^name = ", path.read_text(), re.MULTILINE)
        assert tomllib.loads(path.read_text())["name"] == path.stem
