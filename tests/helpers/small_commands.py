"""Commands as pages show them, at small size: their own words, but for fewer agents, steps, episodes and arms."""

from collections.abc import Set
from dataclasses import replace
from itertools import chain

from morphorl.config.choices import program_of
from morphorl.studies.arms import Values, axes, expand, flatten, nest
from morphorl.studies.study import Study

FEW = {
    "reproduce": {"--seeds": "2", "--steps": "512"},
    "train": {"--seeds": "2", "--steps": "2048"},
    "eval": {"--episodes": "1"},
    "export": {"--episodes": "1"},
    "watch": {"--episodes": "1"},
    "pde": {"--size": "16", "--time": "20"},
    "kinetics": {"--patterns": "8"},
}
"""Options in place of a command's own. 2,048 steps are one rollout of `sb3`, the longest of a preset."""
MORE = {
    "evolve": ["--set", "evolve.generations=1", "--set", "evolve.population=4", "--set", "evolve.seeds=1"],
    "play": ["--no-open"],
}
"""Words that are added."""
BOTH_ENDS = "guidance.strength"
"""The axis of which a small study keeps two values: without γ = 0 and another one there is nothing to compare."""


def few(words: list[str]) -> list[str]:
    """A command's words with the options of `FEW` in place of its own, and at most two environments to play in."""
    name, *rest = words
    if "--help" in rest:
        return words
    wanted = FEW.get(name, {})
    kept = [word for before, word in zip([name, *rest], rest, strict=False) if not {before, word} & wanted.keys()]
    return [name, *_two(kept, "--env"), *chain(*wanted.items()), *MORE.get(name, [])]


def _two(words: list[str], option: str) -> list[str]:
    """The words with at most two values of an option that takes many."""
    if option not in words:
        return words
    first = words.index(option) + 1
    end = next((i for i in range(first, len(words)) if words[i].startswith("--")), len(words))
    return words[: min(first + 2, end)] + words[end:]


def cut(study: Study, named: Set[str]) -> Study:
    """The study in its first environment, under its first preset, for one update, with two seeds (three if crossed).

    Of its arms stay the first, at most two more that the same compiled program trains, and those that are named. Of
    an axis stays the first value, and of γ the last one too.
    """
    whole = {pattern for pattern, arm in study.arms.items() if named & {label for label, _ in expand(pattern, arm)}}
    arms = {pattern: arm if pattern in whole else _few_values(arm) for pattern, arm in study.arms.items()}
    seeds = {"seeds": 3, "cell_seeds": 3} if study.cell_seeds else {"seeds": 2}
    here = replace(study, environments=study.environments[:1], presets=study.presets[:1], arms=arms, **seeds)
    settings = {
        pattern: list(replace(here, arms={pattern: arms[pattern]}).expand(here.presets[0]).values()) for pattern in arms
    }
    programs = [set(map(program_of, of_arm)) for of_arm in settings.values()]
    alike = [pattern for pattern, needed in zip(arms, programs, strict=True) if needed <= programs[0]][:3]
    kept = {pattern: arm for pattern, arm in arms.items() if pattern in whole or pattern in alike}
    steps = max(one.ppo.batch for pattern in kept for one in settings[pattern])
    return replace(here, arms=kept, steps=steps, evaluate_every=min(study.evaluate_every, steps))


def _few_values(arm: Values) -> Values:
    few = {name: axis[:1] if name != BOTH_ENDS else [*axis[:1], *axis[1:][-1:]] for name, axis in axes(arm).items()}
    return nest(flatten(arm) | few)
