"""An agent for other programs: one seed of a trained batch as files, as an ONNX graph, and with a model card."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from morphorl.config.errors import SettingError
from morphorl.config.extras import need
from morphorl.config.files import write_atomically
from morphorl.config.plain import to_dict
from morphorl.dynamics.base import Dynamics, State, named_arrays
from morphorl.environments import registry
from morphorl.environments.action_range import ActionRange
from morphorl.environments.jax_to_gymnasium import single
from morphorl.environments.wrappers import Memory, memory_of
from morphorl.integrations.onnx_graph import graph
from morphorl.ppo import distributions
from morphorl.ppo.agent import Agent, policy_step, spread
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.schedules import scheduled
from morphorl.ppo.settings import Settings

ONNX_SCHEMA = "morphorl.onnx/1"
CHECKED_STEPS = 1_000


class Policy(NamedTuple):
    """An agent as a function of plain arrays, for one environment.

    `step(observation, *state)` gives logits, the most probable action, and the new state: what the agent carries from
    step to step (the arrays of the dynamics' state, a recurrent network's memory, what `memory.kind` holds of the
    past), named and explicit.
    """

    step: Callable[..., tuple]
    features: int
    initial: dict[str, np.ndarray]
    """The state at the start of every episode."""


def policy(settings: Settings, agent: Agent, features: int) -> Policy:
    """The agent as a function of plain arrays.

    Raises:
        SettingError: if its steps need chance, which a graph does not have.
    """
    if settings.blend.kind != "none" and type(settings.dynamics).noise is not Dynamics.noise:
        raise SettingError(
            f"dynamics.kind = {settings.dynamics.kind!r}: must be a system without random numbers to be exported; this "
            "one draws some in every step."
        )
    settings = scheduled(settings, agent.performance, 1.0)
    action_range = registry.make_env(settings.environment).action_range
    carried = _carried(settings, agent)
    memory = _memory(settings, agent, features)
    past = _past(memory, features)

    def step(observation, *state):
        given = dict(zip([*carried, *past], state, strict=True))
        shown, past_after = _show(memory, observation, given) if memory else (observation, {})
        cells, output = policy_step(settings, agent, _cells(agent, given), shown[:, None], _column(given.get("memory")))
        logits = output.blended[:, 0]
        whole = _named(cells)
        if output.memory is not None:
            whole["memory"] = output.memory
        after = [whole[name][..., 0] for name in carried]
        action = distributions.sample(output.blended, agent.log_deviation, 0.0)[..., 0]
        return logits, _executed(settings, action_range, action), *after, *(past_after[name] for name in past)

    initial = {name: np.asarray(value, np.float32) for name, value in (carried | past).items()}
    return Policy(step, features, initial)


def _executed(settings: Settings, action_range: ActionRange | None, action: Array) -> Array:
    """An action as the environment takes it."""
    if action_range is None:
        return action.astype(jnp.int32)
    return action_range.executed(jnp.tanh(action) if settings.ppo.squash else action)


def _carried(settings: Settings, agent: Agent) -> dict[str, Any]:
    """What the agent carries from step to step, at an episode's start: dynamics, recurrent memory."""
    carried = {} if settings.blend.kind == "none" else _named(agent.pattern)
    return carried if agent.core is None else carried | {"memory": jnp.zeros(agent.core.hidden_size)}


def _named(state: State) -> dict[str, Any]:
    """The arrays of a system's state by names that nothing else in the graph has."""
    taken = {name: f"state.{name}" for name in ("observation", "logits", "action", "memory", "begun")}
    return {taken.get(name, name): array for name, array in named_arrays(state).items()}


def _cells(agent: Agent, given: dict[str, Array]) -> State:
    """The states of one environment's dynamics."""
    names = list(_named(agent.pattern))
    if not all(name in given for name in names):
        return spread(agent.pattern, 1)
    return jax.tree.unflatten(jax.tree.structure(agent.pattern), [given[name][..., None] for name in names])


def _column(value: Any) -> Any:
    return None if value is None else value[:, None]


def _memory(settings: Settings, agent: Agent, features: int) -> Memory | None:
    if settings.memory.kind == "none":
        return None
    return memory_of(settings.memory, settings.guidance, (features, agent.actor.biases[-1].size))


def _past(memory: Memory | None, features: int) -> dict[str, Array]:
    """What a memory holds of the observations, and `begun`, 0 until the episode's first one was seen."""
    if memory is None:
        return {}
    state = memory.start(jnp.zeros(features))
    return {f"past_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(state))} | {"begun": jnp.zeros(())}


def _show(memory: Memory, observation: Array, given: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """The observation with the features of the past, and the past after it (`wrappers.with_memory`, in one step)."""
    first = memory.start(observation)
    structure = jax.tree.structure(first)
    state = jax.tree.unflatten(structure, [given[f"past_{i}"] for i in range(structure.num_leaves)])
    later = memory.step(state, observation)
    before = jax.tree.map(lambda x, y: jnp.where(given["begun"] > 0, x, y), state, first)
    after = jax.tree.map(lambda x, y: jnp.where(given["begun"] > 0, x, y), later, first)
    past = {f"past_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(after))}
    return memory.show(before, observation), past | {"begun": jnp.ones(())}


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
    env = registry.make_env(settings.environment)
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

    Both see the observations of the episodes that the JAX agent plays; a system that loses its way would be seen.

    Raises:
        SettingError: if they ever choose different actions, beyond a tie in float32.
    """
    runtime = need("onnx", "onnxruntime", "export --onnx")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    env, think_once = single(environment), jax.jit(acting.step)
    largest, ended, observation, ours, theirs = 0.0, True, np.zeros(0), [], []
    for n in range(steps):
        if ended:
            observation, _ = env.reset(seed=n)
            ours, theirs = list(acting.initial.values()), list(acting.initial.values())
        seen = np.asarray(observation, np.float32)
        logits, action, *ours = map(np.asarray, think_once(seen, *ours))
        given = dict(zip(["observation", *acting.initial], [seen, *theirs], strict=True))
        found, chosen, *theirs = session.run(None, given)
        largest = max(largest, float(np.abs(found - logits).max()))
        gap = np.ptp(np.sort(logits)[-2:]) if action.ndim == 0 else np.abs(chosen - action).max()
        if np.any(chosen != action) and gap > 1e-4 * max(1.0, float(np.abs(logits).max())):
            raise SettingError(f"{path}: chooses action {chosen} where JAX chooses {action}, in step {n}.")
        observation, _, terminated, truncated, _ = env.step(action if action.ndim else int(action))
        ended = terminated or truncated
    env.close()
    return largest
