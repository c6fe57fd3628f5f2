"""The numbers of docs/method.md."""

from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, decimal, signed_decimal, whole

CONTROLS = "controls"
CARTPOLE, HIDDEN = "CartPole-v1", "StatelessCartPole-v1"
EARLY, MEAN = "early_return", "area_under_curve"


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield controls(results, "early return", EARLY)
    yield controls(results, "mean return", MEAN)
    yield from findings(results)


def controls(results: Results, name: str, measure: str) -> Table:
    """A measure of the system and of its controls."""

    def row(arm: str) -> list[Shown]:
        return [
            style(results.summary(f"{CONTROLS}/{preset}", environment, arm, measure))
            for environment, style in ((CARTPOLE, whole), (HIDDEN, decimal))
            for preset in ("standard", "tuned")
        ]

    arms = results.json(f"{CONTROLS}/standard/summary.json")[CARTPOLE]
    return Table(f"| {name} | CartPole, `standard` |", {arm: row(arm) for arm in arms})


def findings(results: Results) -> Iterator[Phrase]:
    """The sentences below the table."""

    def lead(arm: str, rival: str = "γ = 0.3", measure: str = EARLY) -> Known:
        return results.lead(CONTROLS, arm, rival, measure, preset="standard", environment=CARTPOLE)

    below = [decimal(lead(rival)) for rival in ("γ = 0", "plain PPO")]
    yield Phrase("γ = 0.3 lies {} below γ = 0 and {} below plain PPO", *below)
    yield Phrase("a frozen pattern costs too**: {} against γ = 0.3", signed_decimal(lead("frozen pattern")))
    fresh, weaker = (
        signed_decimal.comma(lead(arm))
        for arm in ("frozen pattern, fresh sign each step", "noise like γ = 0.3 on Stateless CartPole")
    )
    yield Phrase("is drawn afresh at every step ({}), and the weaker noise ({})", fresh, weaker)
    yield Phrase("its mean return is {} lower", whole(lead("γ = 0.3", "frozen pattern", MEAN)))
    redrawn, noise = (
        signed_decimal.comma(lead(arm))
        for arm in ("frozen pattern, redrawn each episode", "noise like γ = 0.3 on CartPole")
    )
    yield Phrase("redrawn each episode ({}), noise of the size that the readouts have on CartPole ({})", redrawn, noise)
