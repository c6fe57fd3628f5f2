"""The numbers of docs/claims.md."""

from collections.abc import Iterator, Sequence

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, decimal, gain, percent, share, signed_decimal, steps, two_digits, whole

from morphorl.analysis.claims import Arms

AVERAGED, TUNED, ADDED = "claims/standard", "claims/tuned", "claims/added"
CARTPOLE, HIDDEN = "CartPole-v1", "StatelessCartPole-v1"
GUIDED = {f"γ = {strength:g}": strength for strength in (0.0, 0.01, 0.05, 0.1, 0.3)}
CONTROL = "positive control: frozen pattern"
percent_finely = Style(1, unit="%")
LATER = (12_064, 12_127)
"""The seeds that were run later."""
to_475 = steps("100k")
to_475_briefly = two_digits("100k")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield averaged(results)
    yield added(results)
    yield verdicts(results)
    yield from later_seeds(results)
    yield from findings(results)
    yield from luck(results)
    yield from odds(results)
    yield from forgetful(results)
    yield from patterns(results)


def averaged(results: Results) -> Table:
    """The arms with the readout averaged."""
    arms = {arm: arm for arm in ("plain PPO", *GUIDED)}
    arms |= {"zero readout (0.7·z)": "zero readout", "positive control": CONTROL}

    def row(arm: str) -> list[Shown | None]:
        def of(folder: str, statistic: str) -> Known:
            return results.summary(folder, CARTPOLE, arm, statistic)

        returns = [whole(of(AVERAGED, name)) for name in ("early_return", "early_greedy_return", "final_return")]
        tuned = [whole(of(TUNED, name)) for name in ("early_return", "early_greedy_return")]
        return [*returns, to_475(of(AVERAGED, "steps_to_threshold")), *tuned]

    return Table("| averaged, CartPole-v1 |", {label: row(arm) for label, arm in arms.items()})


def added(results: Results) -> Table:
    """The arms with the readout added."""

    def row(arm: str) -> list[Shown | None]:
        def of(statistic: str) -> Known:
            return results.summary(ADDED, CARTPOLE, arm, statistic)

        returns = [whole(of(name)) for name in ("early_return", "early_greedy_return", "final_return")]
        return [*returns, to_475(of("steps_to_threshold"))]

    return Table("| added, CartPole-v1, `standard` |", {arm: row(arm) for arm in GUIDED})


def verdicts(results: Results) -> Table:
    """The table of verdicts."""

    def row(claim: str, *folders: str) -> list[Shown | None]:
        def of(folder: str) -> Shown:
            return gain(results.verdict(folder, claim)).within(f"**{results.answer(folder, claim)}**: {{}}")

        return [of(folder) if folder in folders else None for folder in (AVERAGED, TUNED, ADDED)]

    rows = {
        "C1 against plain PPO": row("C1 (plain PPO)", AVERAGED, TUNED, ADDED),
        "C1 against γ = 0": row("C1 (γ = 0)", AVERAGED, TUNED, ADDED),
        "C1 against the zero readout": row("C1 (zero readout)", AVERAGED, TUNED),
        "C2a, StatelessCartPole": row("C2a", AVERAGED, ADDED),
        "C2b, StatelessCartPole": row("C2b", AVERAGED, ADDED),
        "C2b on CartPole": row("C2b (CartPole)", AVERAGED, TUNED, ADDED),
    }
    return Table("| verdict | averaged, `standard` |", rows)


def later_seeds(results: Results) -> Iterator[Phrase]:
    """The second 64 seeds alone."""
    arms = Arms("plain PPO", "zero readout", GUIDED, CONTROL)
    judged = [results.judged("claims", preset, arms, *LATER) for preset in ("standard", "tuned")]
    judged.append(results.judged(ADDED, "standard", arms._replace(zero="plain PPO"), *LATER))

    def of(claim: str) -> list[Shown]:
        return [gain(one[claim]) for one in judged if claim in one]

    yield Phrase("The second 64 seeds alone: C1 against plain PPO {}, {} and {}", *of("C1 (plain PPO)"))
    yield Phrase("against γ = 0 {}, {} and {}, against", *of("C1 (γ = 0)"))
    yield Phrase("against the zero readout {} and {}, all", *of("C1 (zero readout)"))
    unstable = of("C2b (CartPole)")
    yield Phrase(
        "C2b on CartPole {} *contradicted*, {} *not testable*, and with the readout added {}, which alone", *unstable
    )
    shown = percent.comma(judged[2]["C2b (CartPole)"])
    yield Phrase("the second 64 seeds alone say {}, and the same arms", shown)


def findings(results: Results) -> Iterator[Phrase]:
    """The sentences below the verdicts."""

    def of(arm: str, statistic: str, folder: str = ADDED) -> Known:
        return results.summary(folder, CARTPOLE, arm, statistic)

    greedy = [of(arm, "early_greedy_return", AVERAGED) for arm in ("zero readout", *GUIDED)]
    least, most = (choose(greedy, key=lambda one: one.value) for choose in (min, max))
    plain = of("plain PPO", "early_greedy_return", AVERAGED)
    yield Phrase("greedily too** ({} to {} against {})", *map(whole.value, (least, most, plain)))
    early = [whole.value(of(arm, "early_return")) for arm in GUIDED]
    yield Phrase("early return falls with γ**: {}, {}, {}, {} and {}, a trend", *early)
    others = ("added, γ = 0", "added, γ = 0.05", "added, γ = 0.1", "added, γ = 0.3")
    again = [whole(results.summary("forgetful", CARTPOLE, arm, "early_return")) for arm in others]
    yield Phrase("On the 64 other seeds of `forgetful` it is {}, {}, {} and {} at", *again)
    falling = [whole(of(arm, "early_greedy_return")) for arm in ("γ = 0", "γ = 0.01", "γ = 0.3")]
    yield Phrase("Greedily it falls too, from {} at γ = 0 through {} at .01 to {} at .3", *falling)
    ends = [whole(of(arm, "final_return", AVERAGED)) for arm in (CONTROL, "plain PPO")]
    yield Phrase("which on CartPole ends at {} instead of {}", *ends)
    unseen = results.further_apart("claims", CONTROL, "plain PPO", preset="standard", environment=HIDDEN)
    yield Phrase("is not seen there: {}.", gain(unseen))

    def apart(arm: str, calm: str, environment: str) -> Known:
        return results.further_apart("forgetful", arm, calm, preset="standard", environment=environment)

    forgets = apart("forgetful, added, γ = 0.3", "forgetful, added, γ = 0", HIDDEN)
    yield Phrase("lie further apart by {} than at γ = 0. On those", percent(forgets))
    added_ends = results.verdict(ADDED, "C2b (CartPole)")
    yield Phrase("make seeds end further apart**, by {} of what", percent(added_ends))
    yield Phrase("({}, to be exact", percent_finely.value(added_ends))
    yield Phrase("on 64 more, {}, which the rule", percent.comma(apart("added, γ = 0.3", "added, γ = 0", CARTPOLE)))


def luck(results: Results) -> Iterator[Table]:
    """The two tables of crossed seeds."""
    labels = {
        "γ = 0": "γ = 0",
        "γ = 0.05": "γ = 0.05",
        "γ = 0.3": "γ = 0.3",
        "added, β = 1, γ = 0": "added with β = 1, γ = 0",
        "added, β = 1, γ = 0.3": "added with β = 1, γ = 0.3",
    }
    file, score = "crossed/luck.json", "mean_return"
    found = results.json(file)["standard"][CARTPOLE]

    def split(arm: str) -> list[Shown]:
        path = ("standard", CARTPOLE, arm, "scores", score)
        parts = [percent(results.at(file, *path, "split", name)) for name in ("pattern", "learner", "interaction")]
        return [decimal(results.at(file, *path, "mean")), *parts]

    def effect(arm: str) -> list[Shown]:
        path = ("standard", CARTPOLE, arm, "scores", score, "effect")
        ten = [one["n"] for one in found[arm]["scores"][score]["effect"]["found"]].index(10)
        ways = ("fresh_patterns", "one_pattern")
        shares = [percent(results.at(file, *path, "found", ten, way, "significant")) for way in ways]
        return [signed_decimal(results.at(file, *path, "difference")), *shares]

    yield Table("| arm | mean early return |", {label: split(arm) for label, arm in labels.items()})
    guided = {label: arm for label, arm in labels.items() if found[arm]["against"]}
    yield Table("| arm | difference of means |", {label: effect(arm) for label, arm in guided.items()})


def odds(results: Results) -> Iterator[Phrase | Table]:
    """How likely five seeds show each plot."""
    plots = {"faster at first": CARTPOLE, "similar, then unstable": HIDDEN}

    def of(folder: str, plot: str, arm: str, baseline: str, preset: str = "standard") -> Shown:
        rows = results.json(f"{folder}/odds.json")["odds"]
        (family,) = {tuple(row["family"].items()) for row in rows if arm in row["arms"]}
        told = {"plot": plot, "baseline": baseline, "n": 5, "preset": preset, "family": dict(family)}
        return percent(results.odds(folder, environment=plots[plot], **told))

    def row(folder: str, unguided: str, second: str = "") -> list[Shown]:
        folders = (folder, second or folder)
        asked = [
            (where, plot, baseline)
            for where, plot in zip(folders, plots, strict=True)
            for baseline in ("plain PPO", unguided)
        ]
        return [of(where, plot, unguided, baseline) for where, plot, baseline in asked]

    rows = {
        "our plainest reading, averaged": row("claims", "γ = 0"),
        "the readout added in full": row(ADDED, "γ = 0"),
        "**rates that form patterns, the readout added**": row("turing/added", "γ = 0", "turing/stateless"),
        "an update that forgets the readout, added": row("forgetful", "forgetful, added, γ = 0"),
        "an update that forgets the readout, averaged": row("forgetful", "forgetful, γ = 0"),
    }
    yield Table("| hypothesis | study |", {label: [None, *cells] for label, cells in rows.items()})
    tuned = [
        of("turing/added", "faster at first", "γ = 0", "γ = 0", "tuned"),
        of("claims", "faster at first", "γ = 0", "plain PPO", "tuned"),
    ]
    yield Phrase("plot 1 in {} of `turing_added` with the baseline γ = 0, in {} of `blind_dynamics`", *tuned)


def forgetful(results: Results) -> Iterator[Phrase | Table]:
    """The update that forgets the readout."""

    def of(arm: str, statistic: str) -> Shown:
        return whole(results.summary("forgetful", CARTPOLE, arm, statistic))

    def row(strength: str) -> list[Shown | None]:
        cells: list[Shown | None] = []
        for arm in (f"added, {strength}", f"forgetful, added, {strength}"):
            cells += [of(arm, "early_return"), None]  # its deviation has no interval in morphorl.analysis
        return cells

    strengths = ("γ = 0", "γ = 0.05", "γ = 0.1", "γ = 0.3")
    yield Table("| readout added, CartPole-v1 |", {strength: row(strength) for strength in strengths})


def patterns(results: Results) -> Iterator[Phrase | Table]:
    """Rates that form patterns."""
    folders = {preset: f"turing/added/{preset}" for preset in ("standard", "tuned")}

    def of(preset: str, arm: str, statistic: str) -> Known:
        return results.summary(folders[preset], CARTPOLE, arm, statistic)

    def row(arm: str) -> list[Shown]:
        return [
            whole(of("standard", arm, "early_return")),
            share(of("standard", arm, "reached_threshold")),
            whole(of("tuned", arm, "early_return")),
            to_475_briefly(of("tuned", arm, "steps_to_threshold")),
        ]

    arms = (
        "plain PPO",
        "γ = 0",
        "γ = 0.03",
        "γ = 0.1",
        "γ = 0.3",
        "frozen pattern, σ = 0.9",
        "frozen pattern, σ = 2.1",
    )
    yield Table("| | `standard`: early return | share at 475 |", {arm: row(arm) for arm in arms})

    def lead(preset: str, arm: str, rival: str) -> Known:
        return results.lead_in_learned("turing/added", arm, rival, preset=preset)

    against = [gain(results.verdict(folder, "C1 (γ = 0)")) for folder in folders.values()]
    yield Phrase("**supported under `standard`**, {}, and **undecided under `tuned`**, {}.", *against)
    plain = [gain(results.verdict(folder, "C1 (plain PPO)")) for folder in folders.values()]
    yield Phrase("it is **contradicted under both**: {} and {}.", *plain)
    weak = [percent(lead(preset, "γ = 0.03", "γ = 0")) for preset in folders]
    yield Phrase("γ = .03 leads γ = 0 by {} and {}, and", *weak)
    fixed = "frozen pattern, σ = 0.9"
    yield Phrase("γ = 0 lies {} behind it.", percent(lead("standard", "γ = 0", fixed).behind()))
    yield Phrase("is ahead of γ = 0 by {}. (By", gain(lead("tuned", "frozen pattern, σ = 2.1", "γ = 0")))
    yield Phrase("2.3 times as large either ({}): a", gain.comma(lead("standard", "frozen pattern, σ = 2.1", "γ = 0")))
    behind = lead("tuned", "γ = 0", "plain PPO").behind()
    yield Phrase("D_h/D_a = 40: γ = 0 lies {} behind", percent(behind))
    yield from averaged_patterns(results)


def averaged_patterns(results: Results) -> Iterator[Phrase]:
    """The same with the readout averaged."""

    def early(preset: str, arms: Sequence[str]) -> list[Shown]:
        summaries = [results.summary(f"turing/averaged/{preset}", CARTPOLE, arm, "early_return") for arm in arms]
        return [whole.value(one) for one in summaries]

    guided = ("γ = 0", "γ = 0.03", "γ = 0.1", "γ = 0.3")
    yield Phrase(
        "early return {}, {}, {} and {} at γ = 0, .03, .1 and .3 under `standard` (plain PPO {}, zero readout {}), "
        "and {}, {}, {} and {} under `tuned`",
        *early("standard", (*guided, "plain PPO", "zero readout")),
        *early("tuned", guided),
    )
