"""The numbers of docs/evolve.md."""

from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, share, signed_decimal, steps, whole

CARTPOLE, GUIDANCE, BLIND = "CartPole-v1", "evolve_guidance", "evolve_blind"
NOISY, MEMORY, BY_HAND = "NoisyStatelessCartPole-v1", "evolve_memory", "leaky integrators, by hand"
thousands = steps("8,192")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""

    def guided(arm: str) -> list[Shown]:
        def of(name: str) -> Known:
            return results.summary(GUIDANCE, CARTPOLE, arm, name)

        there = share(of("reached_threshold"))
        return [thousands(of("steps_to_threshold")), there, whole(of("final_greedy_return"))]

    yield Table("| | steps to 475 |", {arm: guided(arm) for arm in ("plain PPO", "by hand", "evolved")})
    evolved, hand, plain = (
        results.summary(f"{GUIDANCE}/acrobot.json", "Acrobot-v1", arm, "reached_threshold")
        for arm in ("evolved", "by hand", "plain PPO")
    )
    shown = (share(evolved), share.value(hand), share.value(plain))
    yield Phrase("{} of seeds reach −100 against {} by hand and {} of plain PPO", *shown)

    def blind(arm: str) -> list[Shown | None]:
        mean = whole(results.summary(BLIND, CARTPOLE, arm, "area_under_curve"))
        if arm == "plain PPO":
            return [mean, None]
        return [mean, signed_decimal(results.lead(BLIND, arm, "plain PPO", "area_under_curve"))]

    labels = {"plain PPO": "plain PPO", "by hand (γ = 0.1)": "by hand", "evolved": "evolved"}
    yield Table("| | mean return | against plain PPO |", {label: blind(arm) for label, arm in labels.items()})

    def remembered(arm: str) -> list[Shown | None]:
        mean = whole(results.summary(MEMORY, NOISY, arm, "area_under_curve"))
        if arm == BY_HAND:
            return [mean, None]
        return [mean, signed_decimal(results.lead(MEMORY, arm, BY_HAND, "area_under_curve"))]

    memories = {one: one for one in ("no memory", "previous observation", "echo state", "evolved")}
    memories |= {"by hand": BY_HAND, "by hand, reaction and diffusion": f"{BY_HAND}, reaction and diffusion"}
    yield Table("| memory, through noise |", {label: remembered(arm) for label, arm in memories.items()})
    lead = signed_decimal(results.lead(MEMORY, "evolved", BY_HAND, "area_under_curve"))
    yield Phrase("The evolved bank less the one by hand: {} of mean return", lead)
