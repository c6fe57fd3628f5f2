"""Names of folders: what a pattern reads, which one is recognised, and what is refused."""

import pytest

from morphorl.analysis.logs import pattern
from morphorl.config.errors import SettingError


@pytest.mark.parametrize(
    ("given", "name", "fields"),
    [
        ("{arm}/seed_{seed}", "logs/ppo/seed_3", {"arm": "ppo", "seed": "3"}),
        ("{arm}/{env}/{seed}", "x/sac/Ant-v5/12", {"arm": "sac", "env": "Ant-v5", "seed": "12"}),
        (
            "{env}__{arm}__{seed}__{}",
            "runs/CartPole-v1__ppo__1__1699",
            {"env": "CartPole-v1", "arm": "ppo", "seed": "1"},
        ),
        ("{algo}/lr_{lr}/{seed}", "logs/ppo/lr_0.1/2", {"algo": "ppo", "lr": "0.1", "seed": "2"}),
        ("{arm}/seed_{seed}", "logs/ppo/seed_x", None),
        ("{arm}.({seed})", "logs/a.(4)", {"arm": "a", "seed": "4"}),  # what a regular expression would read otherwise
    ],
)
def test_a_pattern_reads_the_end_of_a_name(given, name, fields):
    assert pattern.match(given, name) == fields


def test_fields_of_other_names_become_part_of_the_label():
    assert pattern.labels({"arm": "ppo", "lr": "0.1", "seed": "2"}) == {"arm": "ppo, lr=0.1", "seed": "2"}
    assert pattern.labels({"algo": "ppo", "lr": "0.1"}) == {"arm": "algo=ppo, lr=0.1"}


@pytest.mark.parametrize(
    ("names", "recognised"),
    [
        (["logs/ppo/seed_0", "logs/ppo/seed_1", "logs/a2c/seed_0"], "{arm}/seed_{seed}"),
        (["runs/ppo/CartPole-v1/0", "runs/ppo/CartPole-v1/1"], "{arm}/{env}/{seed}"),
        (["runs/CartPole-v1/ppo/0", "runs/CartPole-v1/ppo/1"], "{env}/{arm}/{seed}"),
        (["logs/ppo/CartPole-v1_1", "logs/ppo/CartPole-v1_2"], "{arm}/{env}_{seed}"),
        (["tb/PPO_1", "tb/PPO_2", "tb/A2C_1"], "{arm}_{seed}"),
        (["runs/CartPole-v1__ppo__1__16", "runs/CartPole-v1__ppo__2__17"], "{env}__{arm}__{seed}__{}"),
        (["x/lr1/ppo/seed_0", "x/lr2/ppo/seed_0"], None),  # two runs would be one
        (["x/one", "x/two"], "{arm}"),
    ],
)
def test_the_first_pattern_that_fits_all_names_and_tells_them_apart_is_recognised(names, recognised):
    assert pattern.recognise(names) == recognised


@pytest.mark.parametrize("wrong", ["no fields", "{arm", "{arm}/{arm}", "{a b}", "{arm}}/{seed}"])
def test_what_is_no_pattern_is_refused_by_name(wrong):
    with pytest.raises(SettingError, match="pattern = "):
        pattern.match(wrong, "logs/ppo/seed_0")
