"""What the paper says of the post's claims: verdicts, patterns, odds of the plots, readings, luck."""

import json

import polars as pl
from published import BOTH, FULL, PARTIAL, PLAIN, RESULTS, Published, published
from words import Bounded, bounded, estimate, percent, signed, unsigned

from morphorl.analysis import claims, paired_arms, verdicts
from morphorl.analysis.bootstrap import Effect, combine, resample
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.report.figures import pattern_map

STRENGTHS = {"0": "γ = 0", "001": "γ = 0.01", "005": "γ = 0.05", "01": "γ = 0.1", "03": "γ = 0.3"}
SLUGS = dict(zip(claims.CLAIMS, ("c1-plain", "c1-unguided", "c1-zero", "c2a", "c2b", "c2b-full"), strict=True))
SMALL = 5
"""Seeds of an arm in the small studies whose odds the paper gives."""
LUCKY = 10
"""The same where a test is made."""

Values = dict[str, str]
"""Words by name."""


def protocol() -> Values:
    """What was fixed beforehand, and the sizes of the studies."""
    study = published("claims").study
    system = ReactionDiffusion()
    runs = {name: published(folder).scores for name, folder in (("full", "claims"), ("multiverse", "multiverse"))}
    return {
        "margin": f"{claims.MARGIN:.0%}",
        "level": f"{claims.LEVEL:.1%}",
        "least-seeds": f"{paired_arms.LEAST_SEEDS}",
        "steps": f"{study.steps:,}",
        "seeds": f"{study.seeds}",
        "seeds-partial": f"{runs['full'].filter(environment=PARTIAL)['seed'].n_unique()}",
        "bound": f"{system.bound:g}",
        "epsilon": f"{system.epsilon:g}",
        "diverged": f"{len(runs['full'].drop_nulls('diverged_at')) or 'none'}",
        "multiverse-runs": f"{len(runs['multiverse']):,}",
    }


def judged() -> Values:
    """The verdicts on the post's claims, and those of the second half of the seeds alone."""
    found: Values = {}
    for name, folder, preset in (
        ("averaged.standard", "claims", "standard"),
        ("averaged.tuned", "claims", "tuned"),
        ("added.standard", "claims/added", "standard"),
        ("turing.standard", "turing/added", "standard"),
        ("turing.tuned", "turing/added", "tuned"),
    ):
        study, table = published(folder)
        at = RESULTS / (folder if len(study.presets) == 1 else f"{folder}/{preset}")
        found |= _verdicts(name, verdicts.load(at, study, preset, table)[0].verdicts)
    study, table = published("claims")
    later = table.filter(pl.col("seed") >= study.first_seed + study.seeds // 2)
    for preset in BOTH:
        of_half = _verdicts("half", verdicts.judge(study, preset, later)[0].verdicts)
        found[f"half.{preset}"] = of_half["half.c1-plain.effect"]
        found[f"half.{preset}.verdict"] = of_half["half.c1-plain"]
    needed = "turing.standard.c1-plain turing.standard.c1-unguided turing.tuned.c1-plain turing.tuned.c1-unguided"
    kept = {name for key in needed.split() for name in (key, f"{key}.effect")}
    return {name: words for name, words in found.items() if not name.startswith("turing") or name in kept}


def _verdicts(name: str, judged: list[claims.Verdict]) -> Values:
    """What each rule says, and the effect that decided; what was not run is left out."""
    known = {f"{name}.{SLUGS[one.claim]}": one for one in judged if one.n}
    effects = {f"{key}.effect": signed(Bounded(one.effect, one.low, one.high)) for key, one in known.items()}
    return {key: one.verdict for key, one in known.items()} | effects


def early_returns() -> Values:
    """Early return on CartPole by arm: IQM with its interval."""
    arms = {"plain": PLAIN, "zero": "zero readout"} | STRENGTHS | {"control": "positive control: frozen pattern"}
    found = {
        f"early.{preset}.{slug}": estimate(published("claims").summary(arm, preset)["early_return"])
        for preset in BOTH
        for slug, arm in arms.items()
    }
    of_added = {slug: arm for slug, arm in arms.items() if slug != "zero"}
    added = published("claims/added")
    return found | {
        f"early.added.{slug}": estimate(added.summary(arm, "standard")["early_return"])
        for slug, arm in of_added.items()
    }


def patterns() -> Values:
    """Rates that form patterns: early returns, how far arms lie apart, the linear theory, the map."""
    turing = published("turing/added")
    frozen = {"standard": "frozen pattern, σ = 0.9", "tuned": "frozen pattern, σ = 2.1"}
    arms = {"plain": PLAIN, "0": "γ = 0", "003": "γ = 0.03", "01": "γ = 0.1", "03": "γ = 0.3"}
    found: Values = {}
    for preset in BOTH:
        here = arms | {"frozen": frozen[preset]}
        of_arms = {slug: turing.summary(arm, preset)["early_return"] for slug, arm in here.items()}
        found |= {f"turing.{preset}.{slug}": estimate(one) for slug, one in of_arms.items()}
        found[f"turing.{preset}.behind"] = unsigned(_apart(turing, preset, PLAIN, "γ = 0"))
        found[f"turing.{preset}.frozen-ahead"] = signed(_apart(turing, preset, frozen[preset], "γ = 0"))
    theory = json.loads((RESULTS / "kinetics" / "turing.json").read_text())
    unguided = next(one for one in theory["growth"] if one["strength"] == 0)
    found["turing.growth"] = f"{unguided['fastest']:.3f}"
    found["turing.critical"] = f"{theory['critical_strength']:.3f}"
    return found | _on_the_map()


def _apart(study: Published, preset: str, arm: str, rival: str) -> Effect:
    """How far two arms' early returns lie apart, as a share of what plain PPO learns early."""
    arms = paired_arms.gather(study.scores.filter(preset=preset), FULL, [PLAIN, arm, rival]).arms
    gain = paired_arms.learned(arms[PLAIN], "early", PLAIN)
    return combine(lambda a, b, unit: (a - b) / unit, resample(arms[arm].early), resample(arms[rival].early), gain)


def _on_the_map() -> Values:
    """How many cells of the map lie surely behind plain PPO, and on which side of the theory's line."""
    mapped, here = the_map(), published("turing/map").scores
    effects = {preset: pattern_map.lag(mapped, here.filter(preset=preset), FULL) for preset in BOTH}
    behind = {
        preset: [(i, j) for i, row in enumerate(rows) for j, one in enumerate(row) if one.high < 0]
        for preset, rows in effects.items()
    }
    inside = [(i, j) for i, j in behind["standard"] if mapped.strengths[j] < mapped.critical[i]]
    ahead = sum(one.low > 0 for rows in effects.values() for row in rows for one in row)
    return {
        "map.cells": f"{sum(map(len, effects['standard']))}",
        "map.seeds": f"{published('turing/map').study.seeds}",
        "map.behind": f"{len(behind['standard'])}",
        "map.behind-inside": f"{len(inside)}",
        "map.behind-tuned": f"{len(behind['tuned'])}",
        "map.ahead": f"{ahead}",
    }


def the_map() -> pattern_map.Map:
    """The arms of the study `turing_map` over diffusion and guidance."""
    found = pattern_map.find(published("turing/map").study.expand("standard"), FULL)
    if found is None:
        raise ValueError("turing/map is no map.")
    return found


def plots() -> Values:
    """How likely five seeds would have shown each of the post's plots, by hypothesis."""
    forgotten = {"blend.update": "network"}
    hypotheses = {
        "averaged": ("claims", "claims", {}),
        "added": ("claims/added", "claims/added", {}),
        "turing": ("turing/added", "turing/stateless", {}),
        "forgetful": ("forgetful", "forgetful", forgotten | {"blend.kind": "average"}),
        "forgetful-added": ("forgetful", "forgetful", forgotten | {"blend.kind": "add"}),
    }
    found: Values = {}
    for slug, (first, second, family) in hypotheses.items():
        for plot, folder, words in (("1", first, "faster at first"), ("2", second, "similar, then unstable")):
            odds = _odds(folder, words, family)
            found |= {f"odds.{slug}.{plot}.{baseline}": unsigned(one) for baseline, one in odds.items()}
    of_tuned = _odds("turing/added", "faster at first", {}, "tuned")
    return found | {"odds.seeds": f"{SMALL}", "odds.turing-tuned": unsigned(of_tuned["unguided"])}


def _odds(folder: str, plot: str, family: dict[str, str], preset: str = "standard") -> dict[str, Bounded]:
    """The share of small studies that show a plot, by what the baseline is."""
    rows = json.loads((RESULTS / folder / "odds.json").read_text())["odds"]
    here = [
        row
        for row in rows
        if (row["preset"], row["plot"], row.get("n")) == (preset, plot, SMALL)
        and family.items() <= row["family"].items()
    ]
    return {"plain" if row["baseline"] == PLAIN else "unguided": bounded(row["probability"]) for row in here}


def multiverse() -> Values:
    """The effects of guidance over readings of the post."""
    held = json.loads((RESULTS / "multiverse" / "multiverse.json").read_text())
    readings = held["readings"]
    found = {"multiverse.readings": f"{len(readings)}", "multiverse.seeds": f"{held['seeds']}"}
    for choice, rival in (
        ("strongest", "unguided"),
        ("strongest", "plain"),
        ("strongest", "zero"),
        ("best", "plain"),
        ("best", "zero"),
    ):
        name, told = f"multiverse.{choice}.{rival}", held["summaries"][choice][rival]
        effects = [bounded(one["effects"][choice][rival]) for one in readings]
        found |= {
            f"{name}.median": percent(told["median"], sign=True),
            f"{name}.range": f"{percent(told['lowest'], sign=True)} to {percent(told['highest'], sign=True)}",
            f"{name}.above": f"{told['above_0']}",
            f"{name}.below": f"{told['below_0']}",
            f"{name}.much": f"{sum(map(_much, effects))}",
            f"{name}.excluded": f"{sum(one.high < claims.MARGIN for one in effects)}",
        }
    left = [one for one in readings if one["effects"]["best"]["plain"]["high"] >= claims.MARGIN]
    found["multiverse.open"] = " and ".join(signed(bounded(one["effects"]["best"]["plain"])) for one in left)
    pairs = [[one["effects"]["strongest"][rival] for rival in ("unguided", "plain")] for one in readings]
    unguided = [plain["value"] - own["value"] for own, plain in pairs if _much(bounded(own))]
    found["multiverse.behind"] = f"{percent(-max(unguided))} to {percent(-min(unguided))}"
    return found


def _much(one: Bounded) -> bool:
    return one.value >= claims.MARGIN and one.low > 0


def luck() -> Values:
    """Whose the variance of early return is, and how often ten seeds find guidance better."""
    crossed = published("crossed").study
    arms = json.loads((RESULTS / "crossed" / "luck.json").read_text())["standard"][FULL]
    slugs = {"0": "γ = 0", "005": "γ = 0.05", "03": "γ = 0.3"}
    slugs |= {"added-0": "added with β = 1, γ = 0", "added-03": "added with β = 1, γ = 0.3"}
    found = {"luck.patterns": f"{crossed.cell_seeds}", "luck.learners": f"{crossed.seeds}", "luck.seeds": f"{LUCKY}"}
    for slug, arm in slugs.items():
        score = arms[arm]["scores"]["mean_return"]
        split = {part: unsigned(bounded(score["split"][part])) for part in ("pattern", "learner")}
        found |= {f"luck.{slug}.{part}": words for part, words in split.items()}
        if "effect" in score:
            found |= {f"luck.{slug}.{name}": words for name, words in _found(score["effect"]).items()}
    return found


def _found(effect: dict) -> Values:
    """The difference of an arm from its partner, and the shares of small studies that find it better."""
    last = next(one for one in effect["found"] if one["n"] == LUCKY)
    shares = {"fresh": last["fresh_patterns"]["significant"], "one": last["one_pattern"]["significant"]}
    words = {name: unsigned(bounded(one)) for name, one in shares.items()}
    return {"difference": estimate(bounded(effect["difference"]))} | words
