"""The numbers of docs/tour.md."""

from collections.abc import Iterator

from places import Phrase
from result_files import Results
from styles import Known, Shown, ratio, share, whole

NOISY, SPARSE = "NoisyStatelessCartPole-v1", "SparseMountainCar-v0"
RAW, THREE_RAW = "plain PPO, raw observations", "three factors, raw observations"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""

    def there(arm: str) -> Known:
        return results.summary("memory/noisy", NOISY, arm, "reached_threshold")

    bank, previous = there("leaky integrators"), there("previous observation")
    yield Phrase("{} of 128 seeds ({})", whole.value(bank.times(128)), share.interval(bank))
    yield Phrase("under `tuned`, {} of 128 ({}) with", whole.value(previous.times(128)), share.interval(previous))

    def times(preset: str, arm: str, rival: str) -> Shown:
        return ratio.comma(results.ratio("reward_aware", arm, rival, preset=preset))

    best = {preset: f"three factors, best of 16 under {preset}" for preset in ("standard", "tuned")}
    equally_tuned = times("standard", best["standard"], "plain PPO, best of 16 under standard")
    yield Phrase("(ratio of medians {}), and", equally_tuned)
    yield Phrase("the rule is sooner ({});", times("tuned", best["tuned"], "plain PPO"))
    yield Phrase("later under both ({}, and {}).", *(times(preset, THREE_RAW, RAW) for preset in best))

    def first(arm: str) -> Shown:
        return share.comma(results.summary("exploration", SPARSE, arm, "reached_threshold"))

    static, plain = first("static pattern, σ = 1"), first("plain PPO, rate 0.0003, entropy 0.01")
    yield Phrase("({}, for a static one of σ = 1, against at most {})", static, plain)
