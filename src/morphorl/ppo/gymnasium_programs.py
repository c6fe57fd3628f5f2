"""What is compiled of a training whose environments the host steps: acting, remembering, resetting and learning."""

import functools
from typing import Any

import jax

from morphorl.config import random_streams
from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import Environment
from morphorl.ppo import reward_signals, schedules, training
from morphorl.ppo.agent import init_agent, spread
from morphorl.ppo.rollout import chosen, decide, diagnosis, known_now
from morphorl.ppo.rollout_randomness import draw_pattern


class Programs:
    """The compiled parts, each for all runs of a batch at once."""

    def __init__(self, env: Environment):
        def init(settings, seed, cell_seed):
            key = jax.random.fold_in(jax.random.key(random_streams.LEARNER), seed)
            cell_key = jax.random.fold_in(jax.random.key(random_streams.CELL), cell_seed)
            key_agent, _, key_updates = jax.random.split(key, 3)
            agent = init_agent(
                settings, env.num_features, env.num_actions, key_agent, cell_key, continuous=env.continuous
            )
            return training.untrained(settings, agent, None, key_updates)

        def act(settings, agent, rollout_state, key, greedy):
            known = known_now(settings, agent, rollout_state)
            seen = rollout_state.cells, rollout_state.observation, None
            cells, output, action = decide(settings, agent, *seen, key, greedy, known)
            return cells, action, output, diagnosis(settings, cells), known

        def remember(settings, agent, rollout_state, value, *step_taken):
            before = rollout_state.trace_state, rollout_state.observation, value
            return reward_signals.remember(settings, agent, *before, *step_taken)

        def reset(settings, agent, cells, done, episode_return, key):
            """Cells at the start of the next step, as a rollout within the program has them."""
            if settings.blend.kind == "none" or settings.dynamics.reset == "never":
                return cells
            fresh = jax.tree.map(lambda u: u[..., None], agent.pattern)
            if settings.dynamics.reset == "redraw":
                keys = jax.random.split(jax.random.fold_in(key, 2), done.size)  # `decide` has split this key in two
                fresh = jax.vmap(lambda key: draw_pattern(settings, env, key), out_axes=-1)(keys)
            if settings.guidance.decides:
                ended = done, episode_return, agent.performance, settings.dynamics.bounded
                return settings.guidance.at_end(cells, fresh, *ended)
            return chosen(done, fresh, cells)

        def improve(settings, state, rollout_state, experience, key, index, weight):
            return training.improve(settings, env, state, rollout_state, experience, key, index, weight=weight)

        def note(state, experience, greedy, index):
            return state._replace(curve=training.note(state.curve, index, experience, greedy))

        self.init = jax.jit(jax.vmap(init))
        self.no_traces = jax.jit(
            jax.vmap(lambda s, envs: reward_signals.begin(s, env.num_features, env.num_actions, envs), (0, None)),
            static_argnums=1,
        )
        self.scheduled = jax.jit(jax.vmap(schedules.scheduled, in_axes=(0, 0, None)))
        self.act = jax.jit(jax.vmap(act, in_axes=(0, 0, 0, 0, None)))
        self.remember = jax.jit(jax.vmap(remember))
        self.reset = jax.jit(jax.vmap(reset))
        self.chosen = jax.jit(jax.vmap(chosen))
        self.improve = jax.jit(jax.vmap(improve, in_axes=(0, 0, 0, 0, 0, None, 0)))
        self.note = jax.jit(jax.vmap(note, in_axes=(0, 0, 0, None)))
        self.keys = jax.jit(jax.vmap(lambda key, index: jax.random.split(jax.random.fold_in(key, index)), (0, None), 1))
        self.step_key = jax.jit(jax.vmap(jax.random.fold_in, (0, None)))
        self.spread = jax.jit(jax.vmap(spread, in_axes=(0, None)), static_argnums=1)


@functools.cache
def programs_for(features: int, actions: int, action_range: ActionRange | None) -> Programs:
    """The compiled parts for agents of these sizes, made once a process."""
    # A time limit of 1 says that any step may be cut off: the value of what it led to is computed for each.
    return Programs(Environment("host", features, actions, 1, None, nothing, nothing, action_range))


def nothing(*_: Any) -> Any:
    raise AssertionError("a host environment is not stepped inside a program")
