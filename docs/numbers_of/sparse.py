"""The numbers of docs/sparse.md that stand in its sentences; docs/sparse_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
from places import Phrase
from result_files import Results
from styles import Known, Shown, percent, ratio

from morphorl.analysis.bootstrap import difference

FOLDER = "sparse"
CAR, ACROBOT, ROOMS = "SparseMountainCar-v0", "SparseAcrobot-v1", "FourRooms-misc"
RULE = "kept by returns"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""

    def reached(arm: str, environment: str) -> Known:
        return results.reached(FOLDER, arm, environment=environment)

    def steps(arm: str, environment: str) -> np.ndarray:
        return results.seeds(FOLDER, arm, "steps_to_threshold", environment=environment)

    def lead(arm: str, rival: str, column: str, environment: str) -> Known:
        x, y = (results.seeds(FOLDER, one, column, environment=environment) for one in (arm, rival))
        return results.known(difference(x, y, np.mean, paired=True), FOLDER)

    there = reached(RULE, CAR)
    yield Phrase("{} of 64 seeds are there ({}), in", percent.value(there), percent.interval(there).within("{}%"))
    yield Phrase("in a median of {} steps", Shown(f"{np.median(steps(RULE, CAR)):,.0f}", f"{FOLDER}/scores.parquet"))
    yield Phrase("of plain PPO's {}, so that", percent(reached("plain PPO", CAR)))
    yield Phrase("all seeds are there, plain PPO's in {};", percent.value(reached("plain PPO", ACROBOT)))
    budget = float(results.scores(FOLDER)["steps"].to_numpy().max())
    sooner = difference(
        np.minimum(steps("plain PPO", ACROBOT), budget), np.minimum(steps(RULE, ACROBOT), budget), np.mean, paired=True
    )
    told = f"{sooner.value:,.0f} ({sooner.low:,.0f} to {sooner.high:,.0f})"
    yield Phrase("the rule leads by {}, p = .007", Shown(told, f"{FOLDER}/scores.parquet"))
    yield Phrase(
        "the ratio of the medians is {}.", ratio(results.ratio(FOLDER, RULE, "plain PPO", environment=ACROBOT))
    )
    yield Phrase("on SparseMountainCar: {} are there, and", percent.value(reached("blind cell", CAR)))
    yield Phrase(
        "over training leads by {}, as random", ratio(lead("blind cell", "plain PPO", "area_under_curve", CAR))
    )
    behind = lead(RULE, "plain PPO", "final_greedy_return", ROOMS)
    yield Phrase("ends behind plain PPO ({}); on Catch", ratio.comma(behind))
