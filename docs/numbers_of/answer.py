"""The numbers of docs/answer.md."""

from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, gain, percent, share, steps, whole

from morphorl.analysis.claims import Arms

AVERAGED, TUNED, ADDED = "claims/standard", "claims/tuned", "claims/added"
CARTPOLE, NOISY = "CartPole-v1", "NoisyStatelessCartPole-v1"
PLAIN_CLAIM = "C1 (plain PPO)"
HALVES = ((12_000, 12_063), (12_064, 12_127))
"""The seeds that were run first, and those that were run later."""
GUIDED = {f"γ = {strength:g}": strength for strength in (0.0, 0.01, 0.05, 0.1, 0.3)}
ARMS = Arms("plain PPO", "zero readout", GUIDED, "positive control: frozen pattern")
to_475 = steps("100k")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield from sentences(results)
    yield early_returns(results)
    yield verdicts(results)
    first, second = (results.judged("claims", "tuned", ARMS, *seeds)[PLAIN_CLAIM] for seeds in HALVES)
    yield Phrase("they left the first claim under `tuned` undecided ({})", gain.comma(first))
    yield Phrase("The second 64 alone say {}.", gain(second))
    yield from how(results)


def sentences(results: Results) -> Iterator[Phrase]:
    """The five sentences at the top."""

    def c1(against: str) -> list[Shown]:
        return [gain.comma(results.verdict(folder, f"C1 ({against})")) for folder in (AVERAGED, TUNED)]

    yield Phrase("(the best: {}, under `standard`; {}, under `tuned`)", *c1("γ = 0"))
    yield Phrase("than a readout of zeros ({}; {})", *c1("zero readout"))
    scaled = results.lead_in_learned("claims", "zero readout", "plain PPO", preset="standard").behind()
    standard, tuned = c1("plain PPO")
    yield Phrase("plain PPO ({}, where scaling the logits by 0.7 alone costs {};", standard, percent.comma(scaled))
    added = gain.comma(results.verdict(ADDED, "C1 (plain PPO)"))
    yield Phrase("; {}; with the readout added {})", tuned, added)

    def lead(arm: str, rival: str) -> Known:
        return results.lead_in_learned("turing/added", arm, rival, preset="standard")

    yield Phrase("γ = 0 lies {} behind plain PPO", percent(lead("γ = 0", "plain PPO").behind()))
    yield Phrase("γ = 0.3 leads γ = 0 by {}", percent(lead("γ = 0.3", "γ = 0")))
    yield Phrase("but plain PPO by {}.", gain(lead("γ = 0.3", "plain PPO")))
    yield Phrase(
        "the best lead over γ = 0 (at γ = 0.1), {},", gain(results.verdict("turing/added/tuned", "C1 (γ = 0)"))
    )
    apart = [percent(results.verdict(folder, "C2b (CartPole)")) for folder in (AVERAGED, ADDED)]
    yield Phrase("further apart than γ = 0 does, by {} with the readout averaged and by {} with it added", *apart)
    fall = gain.comma(results.fall(ADDED, "γ = 0.3", "γ = 0", preset="standard"))
    yield Phrase("the fall of a seed from its best does not grow: {})", fall)
    found = [ten_seeds(results, arm) for arm in ("added with β = 1, γ = 0.3", "γ = 0.3")]
    shown = [style(one) for one in found for style in (percent.value, percent.interval)]
    yield Phrase("in some {} ({}; added) or {} ({}; averaged) of cases", *shown)

    def there(arm: str) -> Known:
        return results.summary("memory/noisy", NOISY, arm, "reached_threshold")

    bank, previous, none = (there(arm) for arm in ("leaky integrators", "previous observation", "no memory"))
    yield Phrase("all of {} seeds with leaky integrators", whole.value(bank.times(128)))
    yield Phrase("within 100,000 steps ({}), {} with", share.interval(bank), whole.value(previous.times(128)))
    yield Phrase("previous observation ({}) and none", share.interval(previous))
    yield Phrase("none without memory ({})", share.interval(none))
    cost = results.lead(
        "memory/noisy", "leaky integrators", "leaky integrators, reaction and diffusion", "area_under_curve"
    )
    mean = results.summary("memory/noisy", NOISY, "leaky integrators", "area_under_curve")
    yield Phrase("cost that memory {} of a mean return of {};", whole(cost), whole.value(mean))
    untrained = results.of_seeds("claims", "plain PPO", "untrained_return", preset="standard", environment=CARTPOLE)
    yield Phrase("untrained network, which is {} on CartPole", whole.value(untrained))


def ten_seeds(results: Results, arm: str) -> Known:
    """The share of ten-seed studies with one pattern that find a gain by guidance."""
    found = results.json("crossed/luck.json")["standard"][CARTPOLE][arm]["scores"]["mean_return"]["effect"]["found"]
    place = [one["n"] for one in found].index(10)
    path = ("standard", CARTPOLE, arm, "scores", "mean_return", "effect", "found", place, "one_pattern", "significant")
    return results.at("crossed/luck.json", *path)


def early_returns(results: Results) -> Table:
    """The table of arms."""
    labels = {label: label for label in ("plain PPO", "γ = 0", "γ = 0.01", "γ = 0.1", "γ = 0.3")}
    zero = "zero readout: logits of 0.7·z"

    def row(arm: str) -> list[Shown | None]:
        def of(folder: str, statistic: str) -> Known:
            return results.summary(folder, CARTPOLE, arm, statistic)

        return [
            whole(of(AVERAGED, "early_return")),
            whole(of(AVERAGED, "early_greedy_return")),
            to_475(of(AVERAGED, "steps_to_threshold")),
            whole(of(TUNED, "early_return")),
            to_475(of(TUNED, "steps_to_threshold")),
            None if arm == "zero readout" else whole(of(ADDED, "early_return")),
        ]

    return Table(
        "| CartPole-v1, 128 seeds |", {label: row(arm) for label, arm in (labels | {zero: "zero readout"}).items()}
    )


def verdicts(results: Results) -> Table:
    """The table of verdicts."""

    def of(folder: str, claim: str) -> Shown:
        return gain(results.verdict(folder, claim)).within(f"**{results.answer(folder, claim)}**: {{}}")

    def row(claim: str, *folders: str) -> list[Shown | None]:
        return [of(folder, claim) if folder in folders else None for folder in (AVERAGED, TUNED, ADDED)]

    rows = {
        "higher γ learns much faster at first than plain PPO": row("C1 (plain PPO)", AVERAGED, TUNED, ADDED),
        "… than γ = 0": row("C1 (γ = 0)", AVERAGED, TUNED, ADDED),
        "… than a readout of zeros": row("C1 (zero readout)", AVERAGED, TUNED),
        "on Stateless CartPole (64 seeds) low γ learns at a similar rate": row("C2a", AVERAGED, ADDED),
        "strong guidance is unstable there": row("C2b", AVERAGED, ADDED),
        "strong guidance is unstable on CartPole": row("C2b (CartPole)", AVERAGED, TUNED, ADDED),
    }
    return Table("| claim | averaged, `standard` |", rows)


def how(results: Results) -> Iterator[Phrase]:
    """How the post may have seen its first plot."""

    def odds(folder: str, preset: str, plot: str, **of: object) -> Shown:
        return percent(results.odds(folder, preset=preset, plot=plot, n=5, **of))

    both = [odds("turing/added", preset, "faster at first", baseline="γ = 0") for preset in ("standard", "tuned")]
    yield Phrase("five seeds show the first plot in {} of studies under `standard` and in {} under `tuned`", *both)
    forgetful = results.json("forgetful/odds.json")["odds"]
    (family,) = {frozenset(row["family"].items()) for row in forgetful if "forgetful, added, γ = 0" in row["arms"]}
    plot, plain = "similar, then unstable", "plain PPO"
    second = odds("forgetful", "standard", plot, baseline=plain, family=dict(family))
    yield Phrase("An update that forgets the readout shows the second in {},", second)
