"""Record episodes of the package `popgym`, which the tests of our own tasks replay.

popgym is needed to record and not to test. In an environment of its own, from the repository's root:

    uv venv /tmp/popgym && uv pip install --python /tmp/popgym/bin/python popgym==1.0.7 gymnasium==1.3.0
    /tmp/popgym/bin/python tests/helpers/record_popgym.py tests/environments/library/popgym_1.0.7.npz

For each task, difficulty and way of acting, `TASK/WAY/…` holds an episode: `observation` (time + 1, numbers), whose
discrete numbers take `sizes` values each; `action`, `reward`, `terminated`, `truncated` (time); and `hidden`, what of
popgym's state decides the rest (time + 1, …).
"""

import sys
from importlib.metadata import version

import gymnasium
import numpy as np
import popgym

SEED = 7
GAMES = ("RepeatFirst", "RepeatPrevious", "CountRecall", "Autoencode", "HigherLower", "Concentration")
CARTPOLES = ("PositionOnlyCartPole", "VelocityOnlyCartpole", "NoisyPositionOnlyCartPole")
PENDULUMS = ("PositionOnlyPendulum", "NoisyPositionOnlyPendulum")


def sizes(space):
    """How many values each number of a discrete observation can take; nothing for real numbers."""
    if isinstance(space, gymnasium.spaces.Tuple):
        return np.concatenate([sizes(part) for part in space])
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return space.nvec.astype(np.int64)
    return np.array([space.n]) if isinstance(space, gymnasium.spaces.Discrete) else np.zeros(0, np.int64)


def hidden(task, env):
    """The suits or ranks that the deck will deal, in their order; the cards on the table; the state of the physics."""
    if task == "CountRecall":
        return np.stack([env.deck_idx_type[deck.idx][::-1] for deck in (env.value_deck, env.query_deck)], axis=1)
    if task == "Concentration":
        return env.deck_idx_type[env.deck.idx]
    if task == "HigherLower":
        return env.deck.ranks_idx[env.deck.idx][::-1]
    if task in GAMES:
        return env.deck.suits_idx[env.deck.idx][::-1]
    return env.bandits.copy() if task == "MultiarmedBandit" else np.array(env.state, np.float32)


def knowing(task, env, generator):
    """An action that is often the right one."""
    if generator.random() < 0.3:
        return env.action_space.sample()
    if task == "RepeatFirst":
        return int(env.card)
    if task == "RepeatPrevious":
        dealt = env.deck["player"]
        return int(env.deck.suits_idx[dealt[-env.k]]) if len(dealt) >= env.k else 0
    if task == "CountRecall":
        return int(env.counts[env.query])
    if task == "Autoencode":
        return int(env.deck.suits_idx[env.deck["system"][-1]])
    if task == "HigherLower":
        return int(env.deck.ranks_idx[env.deck["player"][-1]] > 6)
    if task == "Concentration":
        return pair(env, generator)
    if task in CARTPOLES:
        return int(env.state @ [0.1, 0.3, 3.0, 0.7] > 0)
    if task in PENDULUMS:
        return np.array([np.clip(-10 * np.sin(env.state[0]) - 2 * env.state[1], -3, 3)], np.float32)
    return int(np.argmax(env.bandits))


def pair(env, generator):
    """A card that makes a pair with the one that was turned first, or by chance that one again; if none was, any that
    is closed."""
    closed = [place for place in range(env.deck.num_cards) if place not in env.deck["face_up_idx"]]
    if not env.deck["in_play_idx"]:
        return int(generator.choice(closed))
    first = env.deck["in_play_idx"][0]
    if generator.random() < 0.1:
        return int(first)
    kinds = env.deck_idx_type[env.deck.idx]
    return int(next((p for p in closed if p != first and kinds[p] == kinds[first]), closed[0]))


def episode(task, env, act):
    """One episode, as arrays."""
    observation, _ = env.reset(seed=SEED)
    env.action_space.seed(SEED)
    seen, secrets, steps = [np.atleast_1d(observation)], [hidden(task, env)], []
    while not steps or not (steps[-1][2] or steps[-1][3]):
        action = act(env)
        observation, *after, _ = env.step(action)
        steps.append((action, *after))
        seen.append(np.atleast_1d(observation))
        secrets.append(hidden(task, env))
    action, reward, terminated, truncated = map(np.array, zip(*steps, strict=True))
    space = sizes(env.observation_space)
    keep = secrets if task in CARTPOLES or task in PENDULUMS else secrets[0]
    return {
        "observation": np.array(seen, np.int8 if space.size else np.float32),
        "sizes": space.astype(np.int8),
        "action": action if action.dtype == np.float32 else action.astype(np.int16),
        "reward": reward.astype(np.float64),
        "terminated": terminated.astype(bool),
        "truncated": truncated.astype(bool),
        "hidden": np.array(keep, np.float32 if np.array(keep).dtype.kind == "f" else np.int8),
    }


def main(path):
    """Record all, and write one file."""
    generator, arrays = np.random.default_rng(SEED), {"versions": np.array([f"popgym {version('popgym')}"])}
    for kind, settings in popgym.envs.ALL.items():
        name = settings["id"].removeprefix("popgym-").removesuffix("-v0")
        task = name.removesuffix("Easy").removesuffix("Medium").removesuffix("Hard")
        if task not in (*GAMES, *CARTPOLES, *PENDULUMS, "MultiarmedBandit"):
            continue
        ways = {"random": lambda env: env.action_space.sample(), "knowing": lambda env: knowing(task, env, generator)}  # noqa: B023
        for way, act in ways.items():
            for field, value in episode(task, kind(), act).items():
                arrays[f"{settings['id']}/{way}/{field}"] = value
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
