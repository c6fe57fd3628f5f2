"""Writes docs/environments.md: every environment that comes along, from the registry itself.

Usage: uv run docs/environments_page.py
"""

from itertools import groupby
from pathlib import Path

from morphorl.environments import cartpole, registry
from morphorl.environments.base import Environment

PAGE = Path(__file__).with_name("environments.md")
LEVELS = ("Easy", "Medium", "Hard")
HEAD = """# Environments

Every environment that comes along, as `--env ID`, in a study's `environments`, or in Python
(`morphorl.make_env(ID)`). All of them are written in JAX and compiled into the training
program. This page is written by `docs/environments_page.py`; a test compares the two.

Beside these: [one of your own](howto.md#your-own-environment) by `MODULE:NAME`, and any of Gymnasium's by `gym:ID`,
which the host steps one by one. `+action` after an id also shows the action before, and whether an episode has just
begun, as popgym's baselines see it. `+radial` after one of gymnax's, whose features all have bounds, shows 100 radial
features in place of its own: soft places, which tell observations apart the less, the more features there were.

How far agents get on some of them, beside what others publish: [what is learned](tasks.md).

*Shows* is the number of observed features; a picture is height × width × channels, for `--ppo.network cnn`. *Actions*
are how many there are, or the bounds of each continuous one. *Solved* is the return from which Gymnasium, or we, call
the task solved.
"""
GROUPS = {
    "CartPole": (
        "Gymnasium's CartPole-v1, whose steps a test compares, and with velocities hidden, without or with noise of "
        "5% of the limits."
    ),
    "Classic control and sparse reward": (
        "gymnax's classics (tests compare the steps of Pendulum and MountainCarContinuous with Gymnasium's); "
        "MountainCar that pays at the goal alone; and MuJoCo's swimmer without MuJoCo, whole or with its heading alone "
        "observed."
    ),
    "Change": (
        "`ChangingCartPole-WHAT-VALUE-step-N` changes the pole's length or gravity, or exchanges the pushes, after N "
        "steps of every episode; `-chance-P` once in every episode, with probability P a step; `-share-S` once, after "
        "that share of the training. Any values may stand there."
    ),
    "Memory": (
        "popgym's tasks by its own ids, each as Easy, Medium and Hard; `TMaze-N` has a corridor of N places, with "
        "noise in `NoisyTMaze-N` and a cue that comes later than the start in `LateTMaze-N`; `MemoryChain-N` asks "
        "after N steps. `morphorl eval DIR --env TMaze-100` tests agents that were trained in a shorter one."
    ),
    "Bandits and bsuite": "gymnax's.",
    "Pictures": "MinAtar, by gymnax.",
    "Mazes and other tasks of gymnax": "The continuous ones among them have no threshold of Gymnasium's.",
}


def group_of(env_id: str) -> str:
    """The heading under which an environment stands."""
    if env_id in cartpole.OBSERVATIONS:
        return "CartPole"
    if env_id.startswith("Changing"):
        return "Change"
    if env_id.startswith(("popgym", "TMaze", "NoisyTMaze", "LateTMaze", "MemoryChain", "UmbrellaChain")):
        return "Memory"
    if env_id.endswith("-bsuite") or "Bandit" in env_id:
        return "Bandits and bsuite"
    if env_id.endswith("-MinAtar"):
        return "Pictures"
    return "Mazes and other tasks of gymnax" if env_id.endswith("-misc") else "Classic control and sparse reward"


def row(envs: list[Environment]) -> str:
    """The line of an environment, or of the three difficulties of one."""
    ids = f"`{envs[0].id}`" if len(envs) == 1 else f"`{task_of(envs[0].id)}…-v0` ({', '.join(LEVELS)})"
    cells = [ids, *(_told([part(env) for env in envs]) for part in (_shows, _actions, _limit, _solved))]
    return f"| {' | '.join(cells)} |"


def task_of(env_id: str) -> str:
    """An id without its difficulty: popgym's come in three."""
    for level in LEVELS:
        if env_id.startswith("popgym") and env_id.endswith(f"{level}-v0"):
            return env_id.removesuffix(f"{level}-v0")
    return env_id


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for group, words in GROUPS.items():
        names = [name for name in registry.names() if group_of(name) == group]
        rows = [row([registry.make_env(name) for name in same]) for _, same in groupby(names, task_of)]
        parts.append(
            f"## {group}\n\n{words}\n\n| id | shows | actions | steps at most | solved |\n|---|---|---|---|---|"
        )
        parts[-1] += "\n" + "\n".join(rows) + "\n"
    return "\n".join(parts)


def _told(values: list[str]) -> str:
    """One value where all are the same."""
    return values[0] if len(set(values)) == 1 else " / ".join(values)


def _shows(env: Environment) -> str:
    return " × ".join(map(str, env.picture)) if env.picture else str(env.num_features)


def _actions(env: Environment) -> str:
    if env.action_range is None:
        return str(env.num_actions)
    bounds = dict.fromkeys(f"{low:g} to {high:g}" for low, high in zip(*env.action_range, strict=True))
    return f"{env.num_actions} from {', '.join(bounds)}"


def _limit(env: Environment) -> str:
    return f"{env.time_limit:,}"


def _solved(env: Environment) -> str:
    return "" if env.threshold is None else f"{env.threshold:g}"


if __name__ == "__main__":
    PAGE.write_text(page())
