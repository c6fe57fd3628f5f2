"""An agent for other programs: one seed of a trained batch as files, as an ONNX graph, and with a model card."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from morphorl import envs
from morphorl.agent import Agent, think
from morphorl.agents import Agents
from morphorl.cell import CellState
from morphorl.errors import SettingError
from morphorl.extras import need
from morphorl.files import write_atomically
from morphorl.onnx_graph import graph
from morphorl.settings import Settings, to_dict

ONNX_SCHEMA = "morphorl.onnx/1"
CHECKED_STEPS = 1_000


class Policy(NamedTuple):
    """An agent as a function of plain arrays, for one environment.

    `step(observation, *state)` gives logits, the most probable action, and the new state: what the agent carries from
    step to step (activator and inhibitor, a control's units, a recurrent network's memory), named and explicit.
    """

    step: Callable[..., tuple]
    features: int
    initial: dict[str, np.ndarray]
    """The state at the start of every episode."""


def one(batch: Agents, seed: int | None) -> Agents:
    """The agent of that seed; the first one if none is given.

    Raises:
        SettingError: if the batch has no agent of that seed.
    """
    if seed is not None and seed not in batch.seeds:
        raise SettingError(f"seed = {seed}: must be one of {', '.join(map(str, batch.seeds))}.")
    i = 0 if seed is None else batch.seeds.index(seed)
    return Agents([batch.settings[i]], [batch.seeds[i]], jax.tree.map(lambda u: np.asarray(u)[i : i + 1], batch.arrays))


def policy(settings: Settings, agent: Agent, features: int) -> Policy:
    """The agent as a function of plain arrays.

    Raises:
        SettingError: if its steps need chance, which a graph does not have.
    """
    if settings.control.kind in ("sign", "noise"):
        raise SettingError(
            f"control.kind = {settings.control.kind!r}: must be 'none', 'reservoir' or 'sticky' to be exported; "
            "this control draws random numbers in every step."
        )
    has_cell = settings.blend.kind != "none"
    pattern = agent.pattern if has_cell else None
    named: dict[str, Any] = dict(pattern._asdict()) if isinstance(pattern, CellState) else {}
    if has_cell and not named:
        named = {"control": pattern}
    if agent.core is not None:
        named["memory"] = jnp.zeros(agent.core.hidden_size)
    names = list(named)

    def step(observation, *state):
        given = {name: value[..., None] for name, value in zip(names, state, strict=True)}
        memory = given.pop("memory", None)
        cells = CellState(**given) if isinstance(pattern, CellState) else given.get("control", agent.pattern)
        cells, thought = think(settings, agent, cells, observation[:, None], memory)
        logits = thought.blended[:, 0]
        after = dict(cells._asdict()) if isinstance(pattern, CellState) else {"control": cells}
        after["memory"] = thought.memory
        return logits, jnp.argmax(logits).astype(jnp.int32), *(after[name][..., 0] for name in names)

    return Policy(step, features, {name: np.asarray(value, np.float32) for name, value in named.items()})


def to_onnx(agent: Agents, path: Path) -> float:
    """Write one agent as an ONNX graph, and check it against JAX over `CHECKED_STEPS` steps.

    Inputs `observation` and the state by name; outputs `logits`, `action` and the new state (`activator_next`, …). The
    file's metadata hold the initial state, which every episode starts from, and the settings.

    Returns:
        The largest difference between the two's logits.

    Raises:
        SettingError: if the agent cannot be exported, or acts otherwise than in JAX.
    """
    settings = agent.settings[0]
    env = envs.make(settings.environment)
    single = jax.tree.map(lambda u: jnp.asarray(u)[0], agent.arrays)
    acting = policy(settings, single, env.num_features)
    initial = {name: value.tolist() for name, value in acting.initial.items()}
    metadata = {
        "schema": ONNX_SCHEMA,
        "environment": settings.environment,
        "seed": str(agent.seeds[0]),
        "initial_state": json.dumps(initial),
        "settings": json.dumps(to_dict(settings)),
    }
    inputs = {"observation": np.zeros(env.num_features, np.float32)} | acting.initial
    outputs = ("logits", "action", *(f"{name}_next" for name in acting.initial))
    model = graph(acting.step, inputs, outputs, metadata)
    write_atomically(path, lambda temporary: temporary.write_bytes(model.SerializeToString()))
    return check(path, acting, settings.environment)


def check(path: Path, acting: Policy, environment: str, steps: int = CHECKED_STEPS) -> float:
    """Play with the saved graph and the JAX agent side by side, each with its own state.

    Both see the observations of the episodes that the JAX agent plays; a cell that loses its way would be seen.

    Raises:
        SettingError: if they ever choose different actions, beyond a tie in float32.
    """
    runtime = need("onnx", "onnxruntime", "export --onnx")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    env = envs.make(environment)
    reset, step, think_once = jax.jit(env.reset), jax.jit(env.step), jax.jit(acting.step)
    key, ours, theirs, largest = jax.random.key(0), None, None, 0.0
    state = observation = None
    for n in range(steps):
        if ours is None:
            state, observation = reset(jax.random.fold_in(key, n))
            ours, theirs = list(acting.initial.values()), list(acting.initial.values())
        seen = np.asarray(observation, np.float32)
        logits, action, *ours = map(np.asarray, think_once(seen, *ours))
        given = dict(zip(["observation", *acting.initial], [seen, *theirs], strict=True))
        found, chosen, *theirs = session.run(None, given)
        largest = max(largest, float(np.abs(found - logits).max()))
        top = np.sort(logits)[-2:]
        if chosen != action and top[1] - top[0] > 1e-4 * max(1.0, abs(float(top[1]))):
            raise SettingError(f"{path}: chooses action {chosen} where JAX chooses {action}, in step {n}.")
        after = step(key, state, jnp.asarray(action))
        state, observation = after.state, after.observation
        ours = None if bool(after.terminated | after.truncated) else ours
    return largest
