"""How much memory training takes: from the shapes of what a program holds at once, before any of it is made."""

import functools
import itertools
import math
import operator
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
from jaxtyping import PyTree

from morphorl.config.errors import SettingError, quoted
from morphorl.dynamics.base import Shape
from morphorl.environments.base import CARTPOLES
from morphorl.environments.wrappers import memory_of, num_shown
from morphorl.ppo.agent import shape_of
from morphorl.ppo.settings import Settings
from morphorl.studies.batches import Program

NUMBER = 4
"""Bytes of a number in single precision."""
LARGEST_CARTPOLE = (4, 2)
"""Features and actions of the largest of `CARTPOLES`, known without asking gymnax."""
HUGE_STATE = 20_000
"""Numbers of a state from which on a system's constants are not looked at."""
ABSURD = 2**62
"""Bytes that no machine has: where shapes are too large for arithmetic on them."""


def parts_of_run(settings: Settings) -> dict[tuple[str, ...], int]:
    """Bytes that a run holds at once, about, by the settings that call for them.

    - networks: their numbers, gradients, and Adam's two moments of each.
    - rollout: for each sample two observations, two sets of logits, readout, Gumbel noise, and a dozen numbers. It is
      there twice, as collected and as prepared for the update.
    - activations: those of a minibatch, each layer's and its gradient, in both networks.
    - states: that of the system, for each environment; and for each episode of an evaluation beside observation,
      logits and a layer's activations.
    - order: the place of each sample in each epoch.
    - curve: five numbers for each update.
    """
    features, actions = _sizes(settings)
    ppo = settings.ppo
    shown = _shown(settings, (features, actions))
    widths = [shown, *ppo.hidden]
    core, inputs = _unit(ppo.network, shown, widths)
    weights = core + 2 * sum(n_in * n_out for n_in, n_out in itertools.pairwise([*inputs, actions]))
    state = _state_size(settings, shape_of(settings, shown, actions))
    sample = 2 * (2 * shown + 4 * actions + 12)
    activations = 4 * sum(widths)
    numbers = {
        ("ppo.hidden", "memory.kind"): 4 * weights,
        ("ppo.num_envs", "ppo.rollout_steps", "memory.kind"): ppo.batch * sample,
        ("ppo.hidden", "ppo.num_envs", "ppo.rollout_steps"): ppo.batch // ppo.minibatches * activations,
        ("ppo.num_envs", "dynamics.kind"): ppo.num_envs * state,
        ("evaluation_episodes", "dynamics.kind"): settings.evaluation_episodes
        * (shown + 2 * actions + state + max(widths)),
        ("ppo.epochs", "ppo.num_envs", "ppo.rollout_steps"): ppo.epochs * ppo.batch,
        ("steps",): 5 * settings.updates,
    }
    return {names: NUMBER * number for names, number in numbers.items()}


def _unit(network: str, shown: int, widths: list[int]) -> tuple[int, list[int]]:
    """Weights of the recurrent unit, and the widths of the layers above it."""
    if network == "gru":
        return 3 * (shown + widths[1]) * widths[1], widths[1:]
    if network == "lru":
        return widths[1] * (shown + 2), [widths[1] + shown, *widths[2:]]
    return 0, widths


def of_program(program: Program, largest: int) -> int:
    """Bytes of the runs of a program that are trained at once, of which there are at most `largest`."""
    return min(len(program.runs), largest) * sum(parts_of_run(_settings(program)).values())


def of_machine() -> int:
    """Bytes of memory that programs have here: an accelerator's own, or what this process may use."""
    own = [(device.memory_stats() or {}).get("bytes_limit", 0) for device in jax.devices()]
    if all(own):
        return sum(own)
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = Path(file).read_text("utf-8").strip() if Path(file).is_file() else ""
        limits += [int(text)] if text.isdecimal() else []
    return min(limits)


def refuse_too_large(programs: Iterable[Program], largest: int) -> int:
    """The bytes that the largest of the programs needs.

    Raises:
        SettingError: if this machine has not as many; the message says which sizes call for them.
    """
    there = of_machine()
    most = 0
    for program in programs:
        most = max(most, of_program(program, largest))
        if most > there:
            runs = min(len(program.runs), largest)
            raise SettingError(
                f"{_largest_part(_settings(program))}: calls for {words(most)} of memory, {runs} runs at once; "
                f"must be at most the {words(there)} that this machine has."
            )
    return most


def _largest_part(settings: Settings) -> str:
    """The settings that call for most, as they stand in an error message."""
    parts = parts_of_run(settings)
    names = max(parts, key=lambda names: parts[names])
    return ", ".join(f"{name} = {quoted(operator.attrgetter(name)(settings))}" for name in names)


def _settings(program: Program) -> Settings:
    """Those of any of its runs: they differ in numbers that no shape hangs on."""
    return next(iter(program.runs.values())).settings


def words(size: int) -> str:
    """A number of bytes in words."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}" if size < 10**18 else "more than 1,000,000 TB"
    return "less than 1 MB"


def _sizes(settings: Settings) -> tuple[int, int]:
    if settings.environment in CARTPOLES:
        return LARGEST_CARTPOLE
    from morphorl.environments import registry  # imports gymnax, which takes seconds

    env = registry.make_env(settings.environment)
    return env.num_features, env.num_actions


def _shown(settings: Settings, shape: Shape) -> int:
    """How many numbers the networks see of an observation."""
    if settings.memory.kind == "none":
        return shape[0]
    return _shown_by(_structure((settings.memory, settings.guidance)), shape)


@functools.lru_cache(maxsize=256)
def _shown_by(structure: Any, shape: Shape) -> int:
    memory, guidance = _with_ones(structure)
    return _traced(lambda: num_shown(memory_of(memory, guidance, shape), shape[0]))


def _state_size(settings: Settings, shape: Shape) -> int:
    """How many numbers a system holds for one environment, its constants among them unless the state is huge: making
    those may take NumPy, which does not wait to be run."""
    return 0 if settings.blend.kind == "none" else _state_size_of(_structure(settings.dynamics), shape)


@functools.lru_cache(maxsize=256)
def _state_size_of(structure: Any, shape: Shape) -> int:
    dynamics, key = _with_ones(structure), jax.random.key(0)
    state = _traced(lambda: _count(dynamics.init(key, shape)))
    return state if state > HUGE_STATE else state + _traced(lambda: _count(dynamics.constants(key, shape)))


def _count(arrays: PyTree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(arrays))


def _structure(settings: PyTree) -> Any:
    """What shapes hang on: settings without their numbers."""
    return jax.tree.structure(settings)


def _with_ones(structure: Any) -> Any:
    return jax.tree.unflatten(structure, [1.0] * structure.num_leaves)


def _traced(size: Callable[[], int]) -> int:
    """A size found by tracing, which computes and allocates nothing."""
    found = []
    try:
        jax.eval_shape(lambda: found.append(size()))
    except (OverflowError, MemoryError):  # shapes too large even for arithmetic on them
        return ABSURD
    except Exception:  # the fault of a system of the user's own, which training tells better
        return 0
    return found[0]
