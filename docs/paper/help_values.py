"""What the paper says of where dynamics help: memory, a rhythm, guidance that knows the reward, exploration."""

import horizon_page
import numpy as np
import polars as pl
import rhythm_page
from horizon_page import TESTED
from jaxtyping import Float
from published import FULL, MEMORIES, NOISY, PARTIAL, PLAIN, RESULTS, published
from tasks_page import interval
from words import estimate, proportion, times

from morphorl.analysis.bootstrap import Effect, difference, holm, ratio_of_medians
from morphorl.config.sealed import read_sealed_table

Values = dict[str, str]
"""Words by name."""


def memory() -> Values:
    """Memories where velocities are hidden, through noise and without it."""
    noisy, quiet = published("memory/noisy"), published("memory/quiet")
    found = {"memory.seeds": f"{noisy.study.seeds}", "memory.quiet-seeds": f"{quiet.study.seeds}"}
    for slug, arm in MEMORIES.items():
        told = noisy.summary(arm, "tuned", NOISY)
        found |= {
            f"memory.{slug}.final": estimate(told["final_return"]),
            f"memory.{slug}.mean": estimate(told["area_under_curve"]),
            f"memory.{slug}.share": proportion(told["reached_threshold"]),
        }
        if slug in ("previous", "bank"):
            in_quiet = quiet.summary(arm, "tuned", PARTIAL)["area_under_curve"]
            found[f"memory.{slug}.quiet"] = estimate(in_quiet)
    differences = {
        "cost": (noisy, NOISY, "bank", "reacting"),
        "cost-quiet": (quiet, PARTIAL, "bank", "reacting"),
        "lead": (noisy, NOISY, "bank", "previous"),
    }
    for name, (study, environment, arm, rival) in differences.items():
        pair = [study.runs(MEMORIES[one], "tuned", environment)["area_under_curve"] for one in (arm, rival)]
        found[f"memory.{name}"] = estimate(difference(*pair, paired=True))
    return found


def guided() -> Values:
    """What blind guidance of a memory does, with velocities hidden and shown."""
    study = published("memory/guided")
    arms = {
        "hidden.0": ("blind, γ = 0", PARTIAL),
        "hidden.003": ("blind, γ = 0.03", PARTIAL),
        "hidden.03": ("blind, γ = 0.3", PARTIAL),
        "shown.03": ("blind, γ = 0.3", FULL),
    }
    shares = {name: study.summary(arm, "tuned", place)["reached_threshold"] for name, (arm, place) in arms.items()}
    found = {f"guided.{name}": proportion(share) for name, share in shares.items()}
    found["guided.seeds"] = f"{study.study.seeds}"
    steps = [study.runs(arm, "tuned")["steps_to_threshold"] for arm in ("blind, γ = 0.3", "blind, γ = 0")]
    ratio = ratio_of_medians(*steps, paired=True)
    assert ratio is not None
    return found | {"guided.ratio": times(ratio)}


def rhythm() -> Values:
    """A rhythm where a swimmer sees its heading alone."""
    study = published("rhythm/report")
    finals = rhythm_page.final_returns(study.scores)
    arms = {
        "clock": "clock, seen",
        "reference": rhythm_page.REFERENCE,
        "synchronous": "synchronous ring, seen",
        "wave": "wave, seen",
        "reversed": "reversed wave, seen",
        "bank": "leaky bank",
        "stack": "frame stack",
        "gru": "GRU",
        "plain": PLAIN,
        "echo": "echo state",
        "correlated": "correlated noise",
        "coloured": "coloured noise",
    }
    rivals = [arm for arm in finals if arm != rhythm_page.REFERENCE]
    leads = {arm: _less(finals, rhythm_page.REFERENCE, arm) for arm in rivals}
    corrected = dict(zip(rivals, holm(np.array([leads[arm].p for arm in rivals])), strict=True))
    unshown = [arm for arm in rivals if corrected[arm] > 0.05 or leads[arm].low <= 0]
    found = {f"rhythm.{slug}": interval(finals[arms[slug]]) for slug in ("clock", "plain", "reference")}
    found |= {f"rhythm.lead.{slug}": estimate(leads[arms[slug]]) for slug in ("bank", "stack", "gru", "echo", "clock")}
    found["rhythm.reversed-lead"] = estimate(_less(finals, arms["wave"], arms["reversed"]))
    found["rhythm.synchronous-lead"] = estimate(_less(finals, arms["synchronous"], arms["wave"]))
    for slug in ("correlated", "coloured"):
        found[f"rhythm.{slug}-cost"] = estimate(_less(finals, PLAIN, arms[slug]))
    counts = {"arms": len(finals), "seeds": study.study.seeds, "rivals": len(rivals), "unshown": len(unshown)}
    counts["static-diverged"] = len(study.scores.filter(arm="static map").drop_nulls("diverged_at"))
    return found | {f"rhythm.{name}": f"{count}" for name, count in counts.items()}


def second_body() -> Values:
    """A rhythm and memories where a pendulum shows its angle alone."""
    study = published("rhythm/pendulum")
    finals = rhythm_page.final_returns(rhythm_page.on_the_pendulum())
    bank = rhythm_page.BANK
    found = {
        f"body.{slug}": estimate(_less(finals, bank, arm))
        for slug, arm in (("stack", "frame stack"), ("gru", "GRU"), ("previous", "previous observation"))
    }
    found["body.clock"] = estimate(_less(finals, rhythm_page.RHYTHM, bank))
    return found | {"body.bank": interval(finals[bank]), "body.seeds": f"{study.study.seeds}"}


def _less(finals: dict[str, Float[np.ndarray, " seeds"]], arm: str, rival: str) -> Effect:
    return difference(finals[arm], finals[rival], np.mean, paired=True)


def held() -> Values:
    """How long memories hold a cue, with blind guidance and without."""
    arms = {
        "leaky": "leaky cell",
        "guided": "leaky cell, guided",
        "bistable": horizon_page.BISTABLE,
        "gru": "GRU",
        "stack": "frame stack",
        "bank": "leaky bank",
        "slower": "slower bank",
        "filter": "amplified filter",
    }
    played, late = (
        read_sealed_table(folder / "played.parquet") for folder in (horizon_page.RESULTS, horizon_page.LATE_RESULTS)
    )
    quiet = ("leaky", "guided", "gru", "stack", "bank", "slower")
    shown = [
        (played, "TMaze", quiet),
        (played, "MemoryChain", quiet),
        (played, "NoisyTMaze", ("guided", "gru", "slower")),
        (late, "LateTMaze", ("bistable", "guided", "gru", "stack", "bank", "filter")),
    ]
    found = {
        f"held.{slug}.{task}": f"{horizon_page.holding(table, arms[slug], task)}"
        for table, task, slugs in shown
        for slug in slugs
    }
    noisy = {slug: horizon_page.rights(played, arms[slug], "NoisyTMaze", TESTED) for slug in ("guided", "leaky")}
    found["held.noisy-lead"] = estimate(_less(noisy, "guided", "leaky"))
    delays = {"taught": horizon_page.TAUGHT, "tested": TESTED, "longest": horizon_page.LONGEST}
    found |= {f"held.{name}": f"{delay:,}" for name, delay in delays.items()}
    settings = pl.read_csv(RESULTS / "tasks_tuning" / "horizon.csv").filter(kind="GRU")
    seeds = published("horizon").study.seeds
    return found | {
        "held.seeds": f"{seeds}", "held.settings": f"{len(settings)}", "held.share": f"{horizon_page.HELD}"
    }  # fmt: skip


def rewarded() -> Values:
    """Guidance that knows the reward, beside plain PPO on the same inputs."""
    study = published("reward_aware")
    best = "three factors, best of 16 under {}"
    pairs = {
        "standard.best": ("standard", best.format("standard"), "plain PPO, best of 16 under standard"),
        "tuned.best": ("tuned", best.format("tuned"), PLAIN),
        "tuned.best-raw": ("tuned", best.format("tuned"), "plain PPO, raw observations"),
        "standard.constant": ("standard", "three factors", "constant surprise"),
        "tuned.constant": ("tuned", "three factors", "constant surprise"),
        "tuned.raw": ("tuned", "three factors, raw observations", "plain PPO, raw observations"),
    }
    with_ratio = ("standard.best", "tuned.best", "tuned.raw")
    found = {"reward.seeds": f"{study.study.seeds}", "reward.steps": f"{study.study.steps:,}"}
    for name, (preset, arm, rival) in pairs.items():
        x, y = (study.runs(one, preset) for one in (arm, rival))
        if name != "tuned.raw":
            found[f"reward.{name}"] = estimate(difference(x["area_under_curve"], y["area_under_curve"], paired=True))
        ratio = ratio_of_medians(x["steps_to_threshold"], y["steps_to_threshold"], paired=True)
        if name in with_ratio and ratio is not None:
            found[f"reward.{name}.ratio"] = times(ratio)
    return found


def explored() -> Values:
    """Exploration under a sparse reward: guidance beside a pattern that never changes."""
    study, environment = published("exploration/best"), "SparseMountainCar-v0"
    arms = {"static": "static, σ = 0.5", "guided": "guided, γ = 0.00431", "own": "own kinetics, γ = 0.2"}
    arms |= {"plain": "plain PPO, rate 0.0003, entropy 0.01"}
    runs = {slug: study.runs(arm, "tuned", environment)["area_under_curve"] for slug, arm in arms.items()}
    found = {
        f"explored.{slug}": estimate(study.summary(arms[slug], "tuned", environment)["area_under_curve"])
        for slug in ("static", "plain")
    }
    leads = {slug: difference(runs[slug], runs["static"], paired=True) for slug in ("guided", "own")}
    found |= {f"explored.{slug}-lead": estimate(one) for slug, one in leads.items()}
    return found | {"explored.seeds": f"{study.study.seeds}"}
