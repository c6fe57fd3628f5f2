"""Names that no default tells apart: the pattern that is suggested reads them, and is none where it would mislead."""

import itertools

import pytest

from morphorl.analysis.logs import pattern
from morphorl.analysis.logs.suggestion import suggest

ARMS, SEEDS = ("ppo", "sac"), range(4)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("logs/exp-{arm}-lr3e4-s{seed}-{own}", "exp-{arm}-lr3e4-s{seed}-{}"),  # a hash of each run's own
        ("logs/2024-03-0{seed}/{arm}_run{seed}.final", "{arm}_run{seed}.final"),  # a date that goes with the seed
        ("logs/{arm}/run_{own}", "{arm}/run_{}"),  # no seed
        ("logs/{arm}/a{seed}/b", "{arm}/a{seed}/b"),
        ("logs/exp-{arm}-{seed}-{started}", "exp-{arm}-{seed}-{}"),  # a time is no seed
    ],
)
def test_a_pattern_that_reads_the_names(form, expected):
    runs = list(itertools.product(ARMS, SEEDS))
    names = [
        form.format(arm=arm, seed=seed, own=f"{i * 37 + 11:x}f", started=1_700_000_000 + i)
        for i, (arm, seed) in enumerate(runs)
    ]
    assert suggest(names) == expected
    fields = [pattern.match(expected, name) or {} for name in names]
    assert [one["arm"] for one in fields] == [arm for arm, _ in runs]
    if "{seed}" in expected:
        assert [int(one["seed"]) for one in fields] == [seed for _, seed in runs]


def test_settings_in_names_are_fields_of_their_own():
    names = [f"l/{arm}/lr{rate}/run{seed}" for arm in ARMS for rate in ("1e3", "2e3") for seed in SEEDS]
    assert suggest(names) == "{arm}/lr{lr}/run{seed}"


def test_numbers_alone_are_seeds_of_one_arm():
    assert suggest([f"l/exp-s{seed}" for seed in SEEDS]) == "exp-s{seed}"


@pytest.mark.parametrize(
    "names",
    [
        ["l/a", "l/b"],  # two runs are no arms and seeds
        ["l/apple", "l/pear", "l/plum"],  # nothing is shared
        ["l/a-1", "l/b", "l/c-2"],  # other pieces
        ["l/a-1", "l/a-1", "l/b-1"],  # would give two runs one name
        [f"l/{{a}}-{arm}-{seed}" for arm in ARMS for seed in SEEDS],  # braces would be read as fields
    ],
)
def test_none_where_nothing_fits(names):
    assert suggest(names) is None
