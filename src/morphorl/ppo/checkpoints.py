"""Trained agents as files: the arrays in safetensors, everything else in JSON; nothing in them is ever executed."""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy

from morphorl.config.errors import SettingError, StoreError, shortened
from morphorl.config.extras import MissingExtraError
from morphorl.config.files import checksum, read, write_atomically
from morphorl.config.plain import from_dict, to_dict
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.config.trust import UntrustedError
from morphorl.environments import registry
from morphorl.ppo import task
from morphorl.ppo.agent import Agent, init_agent
from morphorl.ppo.settings import Settings, foreign_sources, refuse_unimportable

SCHEMA = "morphorl.agents/1"
ACTION_UNITS = "range"
"""What continuous actions are in units of; agents of a time when they were not have no such word."""
ARRAYS = "agents.safetensors"
"""The file beside `agents.json`, which holds its checksum."""


class AgentsError(StoreError):
    """Files do not hold agents that can be loaded; the message says what is wrong and what was expected."""


class Agents(NamedTuple):
    """A batch of agents: their settings and seeds, and their arrays stacked on a leading axis."""

    settings: list[Settings]
    seeds: list[int]
    arrays: Agent


def save_agents(agents: Agents, folder: str | Path) -> None:
    """Write `agents.safetensors` and `agents.json` into a folder, which is made if it is not there.

    Raises:
        SettingError: for dynamics or guidance whose class no other process can import by its name.

    Example:
        >>> save_agents(trained.agents, "runs/agents")
    """
    folder = Path(folder)
    sources = {}
    for settings in {id(one): one for one in agents.settings}.values():
        refuse_unimportable(settings)
        sources |= foreign_sources(settings)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / ARRAYS, lambda path: write_arrays(agents.arrays, path))
    content = {
        "schema": SCHEMA,
        "arrays": checksum(folder / ARRAYS),
        "seeds": agents.seeds,
        "sources": sources,
        "action_units": ACTION_UNITS,
        "settings": [to_dict(one) for one in agents.settings],
    }
    write_sealed_json(folder / "agents.json", content)


def load_agents(folder: str | Path) -> Agents:
    """Read what `save_agents` wrote. Nothing in the files is executed.

    Raises:
        UntrustedError: for dynamics or guidance of a module that is not imported yet. Import it first.
        AgentsError: if a file is missing or damaged, an array has another shape than the settings call for, or the
            source of foreign dynamics has changed since.
    """
    folder = Path(folder)
    described = folder / "agents.json"
    if not described.exists():
        raise AgentsError(f"{folder}: holds no agents.json; must be a folder that `morphorl train --out` wrote.")
    try:
        content = read_sealed_json(described)
        if content.get("schema") != SCHEMA:
            raise AgentsError(f"{described}: schema is {content.get('schema')!r}; must be {SCHEMA!r}.")
        settings = [from_dict(Settings, values) for values in content["settings"]]
        now = {name: found for one in settings for name, found in foreign_sources(one).items()}
        for name in now:
            if now[name] != content["sources"][name]:
                raise AgentsError(
                    f"{folder}: was trained with another source of {name}, which has been changed since; train again, "
                    "or bring that source back."
                )
        continuous = any(registry.make_env(one.environment).continuous for one in settings)
        if continuous and content.get("action_units") != ACTION_UNITS:
            raise AgentsError(
                f"{folder}: was trained when continuous actions were in the environment's own units; train again, or "
                "use the morphorl that made it."
            )
        if checksum(folder / ARRAYS) != content["arrays"]:
            raise AgentsError(
                f"{folder / ARRAYS}: is damaged, or belongs to other agents (its checksum is not the one that "
                "agents.json has)."
            )
        return from_arrays(settings, _seeds(content["seeds"]), read_arrays(folder / ARRAYS))
    except FileNotFoundError as error:
        raise AgentsError(f"{error.filename}: is missing.") from error
    except (AgentsError, MissingExtraError, UntrustedError):
        raise  # the file is whole; this installation is not, or nobody trusts what the file names
    except StoreError as error:
        raise AgentsError(str(error)) from error
    except (ValueError, AttributeError, KeyError, TypeError) as error:  # settings are ValueErrors
        raise AgentsError(f"{described}: is damaged ({error}).") from error


def _seeds(found: object) -> list[int]:
    """Seeds as a file has them, if they are different whole numbers."""
    seeds = [seed for seed in found if type(seed) is int and seed >= 0] if isinstance(found, list) else []
    if seeds != found or len(set(seeds)) < len(seeds):
        raise AgentsError(f"agents.json: seeds = {shortened(str(found))}: must be different whole numbers.")
    return seeds


def one(batch: Agents, seed: int | None) -> Agents:
    """The agent of that seed; the first one if none is given.

    Raises:
        SettingError: if the batch has no agent of that seed.
    """
    if seed is not None and seed not in batch.seeds:
        raise SettingError(f"seed = {seed}: must be one of {', '.join(map(str, batch.seeds))}.")
    i = 0 if seed is None else batch.seeds.index(seed)
    return Agents([batch.settings[i]], [batch.seeds[i]], jax.tree.map(lambda u: np.asarray(u)[i : i + 1], batch.arrays))


def write_arrays(arrays: Agent, path: Path) -> None:
    """Write the arrays of agents alone.

    Raises:
        OSError: if that cannot be done; safetensors' own writer would call a full disk something else.
    """
    path.write_bytes(safetensors.numpy.save(_named(arrays)))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read arrays by name.

    Raises:
        AgentsError: if the file is missing or no safetensors file.
    """
    try:
        return safetensors.numpy.load(read(path))
    except (OSError, safetensors.SafetensorError) as error:
        raise AgentsError(f"{path}: is missing or damaged ({error}).") from error


def from_arrays(settings: list[Settings], seeds: list[int], arrays: dict[str, np.ndarray]) -> Agents:
    """Assemble agents from named arrays, each checked against the shape that the settings call for.

    Raises:
        AgentsError: if an array has another shape or type, is missing or too many, or holds what is not finite.
    """
    if not settings or len(seeds) != len(settings):
        raise AgentsError(f"agents.json: has {len(seeds)} seeds and {len(settings)} settings; must be one of each.")
    assembled = assemble(settings[0], len(settings), arrays)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise AgentsError(f"agents.safetensors: {name} holds numbers that are not finite.")
    return Agents(settings, seeds, assembled)


def assemble(settings: Settings, agents: int, arrays: dict[str, np.ndarray]) -> Agent:
    """So many agents of one program from named arrays; those of a run that diverged may hold what is not finite.

    Args:
        settings: of one of them.

    Raises:
        AgentsError: if an array has another shape or type than the settings call for, is missing or too many.
    """
    shapes = skeleton(settings, agents)
    expected = _named(shapes)
    for name, want in expected.items():
        have = arrays[name].shape if name in arrays else None
        if have != want.shape:
            raise AgentsError(f"agents.safetensors: {name} has shape {have}; must be {want.shape}.")
        if arrays[name].dtype != want.dtype:
            raise AgentsError(f"agents.safetensors: {name} holds {arrays[name].dtype}; must be {want.dtype}.")
    if unknown := set(arrays) - set(expected):
        raise AgentsError(f"agents.safetensors: holds {min(unknown)!r}, which these settings have no place for.")
    return jax.tree.unflatten(jax.tree.structure(shapes), [arrays[name] for name in expected])


def skeleton(settings: Settings, runs: int) -> Agent:
    """The shapes of the arrays of so many agents; nothing is allocated."""
    env, key = task.around(settings, registry.make_env(settings.environment)), jax.random.key(0)
    sizes, kinds = (env.num_features, env.num_actions), {"continuous": env.continuous, "picture": env.picture}
    one = jax.eval_shape(lambda: init_agent(settings, *sizes, key, key, **kinds))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((runs, *leaf.shape), leaf.dtype), one)


def _named(arrays: Agent) -> dict:
    """Leaves by the path that leads to them, such as `actor.weights.0`."""
    leaves = jax.tree_util.tree_leaves_with_path(arrays)
    named = {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
    is_shape = isinstance(next(iter(named.values())), jax.ShapeDtypeStruct)
    return named if is_shape else {name: np.ascontiguousarray(jnp.asarray(leaf)) for name, leaf in named.items()}
