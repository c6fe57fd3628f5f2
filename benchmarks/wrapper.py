"""Steps per second of one Gymnasium environment: bare, with a system beside it, and with that system's steps in JAX.

    uv run python benchmarks/wrapper.py            # CartPole, with and without velocities: half a minute
    uv run python benchmarks/wrapper.py 5          # fewer rounds

Random actions, whole episodes. All rows in turn, in rounds of 500 steps; medians over the rounds, and of the ratios
within a round. Time of the processors is given beside the wall time, since it suffers less from what else a machine
does.
"""

import statistics
import sys
import time
from typing import NamedTuple

import gymnasium
import numpy as np
from rich.progress import track

from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.gymnasium_wrappers import CellObservation
from morphorl.environments.parallel_systems import ParallelSystems

ROUNDS, STEPS, WARM_UP = 40, 500, 100
IDS = ("CartPole-v1", "morphorl/StatelessCartPole-v1")
SYSTEMS = {"leaky integrators": LeakyIntegrators(), "reaction-diffusion": ReactionDiffusion()}


class Seconds(NamedTuple):
    """What some steps took."""

    wall: float
    processor: float


def rows(env_id: str) -> dict[str, gymnasium.Env]:
    """The environments that are compared, the bare one first."""
    made = {"bare": gymnasium.make(env_id)}
    for name, system in SYSTEMS.items():
        made[name] = CellObservation(gymnasium.make(env_id), system)
        made[f"{name}, in JAX"] = in_jax = CellObservation(gymnasium.make(env_id), system)
        in_jax.systems = ParallelSystems(in_jax.systems.appended, 1, 0)
    for env in made.values():
        env.reset(seed=0)
        play(env, np.zeros(WARM_UP, int))
    return made


def play(env: gymnasium.Env, actions: np.ndarray) -> Seconds:
    """Take these actions, and start anew where an episode ends."""
    env.reset()
    wall, processor = time.perf_counter(), time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return Seconds(time.perf_counter() - wall, time.process_time() - processor)


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    compared = {env_id: rows(env_id) for env_id in IDS}
    taken: dict[tuple[str, str], list[Seconds]] = {(env_id, name): [] for env_id in IDS for name in compared[env_id]}
    for number in track(range(rounds), description="rounds"):
        actions = np.random.default_rng(number).integers(2, size=STEPS)
        for env_id, name in taken:
            taken[env_id, name].append(play(compared[env_id][name], actions))
    for (env_id, name), seconds in taken.items():
        bare = taken[env_id, "bare"]
        wall = statistics.median(STEPS / one.wall for one in seconds)
        processor = statistics.median(STEPS / one.processor for one in seconds)
        cost = statistics.median(one.processor / other.processor for one, other in zip(seconds, bare, strict=True))
        print(
            f"{env_id}, {name}: {wall:,.0f} steps/s by the clock, {processor:,.0f} by processor time, "
            f"{cost:.1f} times the bare environment's time"
        )


if __name__ == "__main__":
    main()
