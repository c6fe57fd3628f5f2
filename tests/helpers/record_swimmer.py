"""Records steps of Gymnasium's Swimmer-v5, for the tests that compare ours with it where MuJoCo is not installed.

    PYTHONPATH=src:tests uv run --extra mujoco tests/helpers/record_swimmer.py

The file was made with mujoco 4.0.0 and gymnasium 1.3.0; it names the versions itself.
"""

import math
from pathlib import Path

import gymnasium
import numpy as np

FILE = Path(__file__).with_name("swimmer_v5.npz")
BEYOND = math.radians(103)
"""How far the joints of the random states bend: the limit is at 100°, and soft."""


def random_states(generator: np.random.Generator, count: int) -> np.ndarray:
    """Positions and velocities, of shape (count, 10): in a third of them a joint is near its limit, in a third both."""
    reach = np.array([5, 5, 3, BEYOND, BEYOND, 2, 2, 4, 6, 6])
    states = generator.uniform(-reach, reach, (count, 10))
    near = generator.choice([-1, 1], (count, 2)) * generator.uniform(math.radians(97), BEYOND, (count, 2))
    states[::3, 3:5] = near[::3]
    states[1::3, 3] = near[1::3, 0]
    return states


def exact_swimmer() -> gymnasium.Env:
    """Swimmer-v5 whose solver of limits goes on to the end.

    By itself it stops where it gains less than 1e-8. Some one step in 10,000 is then off by some 1e-6.
    """
    env = gymnasium.make("Swimmer-v5")
    env.unwrapped.model.opt.tolerance = 0  # pyright: ignore[reportAttributeAccessIssue]
    return env


def steps_from(env: gymnasium.Env, states: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
    """What one step from each state leads to: positions and velocities, observation and reward."""
    swimmer, rows = env.unwrapped, []
    env.reset(seed=0)
    for state, action in zip(states, actions, strict=True):
        swimmer.set_state(state[:5], state[5:])
        observation, reward, terminated, truncated, _ = swimmer.step(action)
        assert not terminated
        assert not truncated
        rows.append((np.concatenate([swimmer.data.qpos, swimmer.data.qvel]), observation, reward))
    after, observation, reward = (np.array(column) for column in zip(*rows, strict=True))
    return {"before": states, "action": actions, "after": after, "observation": observation, "reward": reward}


def gait(steps: int) -> np.ndarray:
    """Actions of shape (steps, 2): a wave from the nose to the tail, of one period a second and a half."""
    phase = 2 * np.pi * np.arange(steps) * 0.04 / 1.5
    return np.stack([np.sin(phase), np.sin(phase - 1.2)], axis=1)


def swim(env: gymnasium.Env, steps: int) -> dict[str, np.ndarray]:
    """The gait from rest: where it leads, and the return. Longer swims are chaotic: rounding errors grow in them."""
    swimmer, total = env.unwrapped, 0.0
    env.reset(seed=0)
    swimmer.set_state(np.zeros(5), np.zeros(5))
    for action in gait(steps):
        total += swimmer.step(action)[1]
    return {"end": np.concatenate([swimmer.data.qpos, swimmer.data.qvel]), "return": np.array(total)}


if __name__ == "__main__":
    import mujoco

    generator = np.random.default_rng(0)
    env = exact_swimmer()
    recorded = steps_from(env, random_states(generator, 240), generator.uniform(-1.2, 1.2, (240, 2)))
    versions = np.array(f"mujoco {mujoco.__version__}, gymnasium {gymnasium.__version__}")
    np.savez_compressed(FILE, versions=versions, **recorded, **swim(env, 100))
    print(f"{FILE}: {FILE.stat().st_size:,} bytes, {versions}")
