"""A vector environment of Gymnasium's and the cells beside it, stepped together: who resets when."""

from typing import Any, NamedTuple

import jax
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from jaxtyping import Array, Float, Key

from morphorl.config.errors import SettingError
from morphorl.environments.gymnasium_envs import actions_of, autoreset_mode
from morphorl.ppo.agent import Agent
from morphorl.ppo.gymnasium_programs import Programs
from morphorl.ppo.rollout import Experience, RolloutState
from morphorl.ppo.settings import Settings


class Rollout(NamedTuple):
    """What a rollout on the host leads to: runs first, then time, then rows, then environments."""

    experience: Experience
    weight: np.ndarray
    """0 for rows in which an environment did nothing but reset (NEXT_STEP)."""


class Player:
    """A vector environment and the cells beside it: who resets when."""

    def __init__(self, envs: VectorEnv, programs: Programs, runs: int):
        self.envs, self.programs, self.runs = envs, programs, runs
        self.copies, self.mode = envs.num_envs // runs, autoreset_mode(envs)
        if self.mode == AutoresetMode.DISABLED:
            raise SettingError("autoreset_mode = DISABLED: must be NEXT_STEP or SAME_STEP to train in.")
        self.resetting = np.zeros((runs, self.copies), bool)
        self.dtype = envs.single_action_space.dtype
        self.range = actions_of("envs", envs.single_action_space)[1]

    def begin(self, settings: Settings, agent: Agent, seeds: np.ndarray, *, learns: bool) -> RolloutState:
        """Reset everything: each environment from a seed of its run and its place.

        Args:
            learns: whether there is a learning signal, as in training; an evaluation has none.
        """
        places = [np.random.SeedSequence([int(seed), i]) for seed in seeds for i in range(self.copies)]
        seed: Any = [int(place.generate_state(1)[0]) for place in places]
        observation, _ = self.envs.reset(seed=seed)
        cells = self.programs.spread(agent.pattern, self.copies)
        none_yet: Any = np.zeros((self.runs, self.copies), np.float32)
        traces = self.programs.no_traces(settings, self.copies) if learns else None
        sums = none_yet if settings.ppo.normalise_rewards else None
        return RolloutState(None, self._columns(observation), cells, none_yet, None, traces, sums)

    def collect(
        self, settings: Settings, agent: Agent, rollout_state: RolloutState, key: Key[Array, " runs"]
    ) -> tuple[RolloutState, Rollout]:
        """One rollout of every run."""
        rows, weights = [], []
        for time in range(settings.ppo.rollout_steps):
            rollout_state, row, weight = self.step(settings, agent, rollout_state, self.programs.step_key(key, time))
            rows.append(row)
            weights.append(weight)
        experience = jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *rows)
        return rollout_state, Rollout(experience, np.stack(weights, axis=1))

    def step(
        self,
        settings: Settings,
        agent: Agent,
        rollout_state: RolloutState,
        key: Key[Array, " runs"],
        greedy: bool = False,
    ) -> tuple[RolloutState, Experience, Float[np.ndarray, "runs copies"]]:
        """Act once in every environment.

        Under NEXT_STEP an environment whose episode has ended does nothing in its next step but reset. Neither the cell
        nor what guidance knows may see that step: both stay as they were.

        Returns:
            Where the environments stand now; what was seen and done, the runs on the first axis of every array and the
            copies on the last; and 0 for environments that did nothing but reset, else 1.
        """
        resetting, traces = self.resetting, rollout_state.trace_state
        told = self._told(rollout_state)
        cells, action, output, at_bound, known = self.programs.act(settings, agent, told, key, greedy)
        action = np.asarray(action)
        observation, reward, terminated, truncated, info = self.envs.step(self._executed(settings, action))
        final = self._final(observation, terminated | truncated, info)
        terminated, truncated = (self._rows(u).astype(bool) & ~resetting for u in (terminated, truncated))
        reward = np.where(resetting, 0.0, self._rows(reward)).astype(np.float32)
        episode_return = rollout_state.episode_return + reward
        if known is not None:
            step_taken = output, action, reward, terminated, truncated, episode_return
            traces = self.programs.remember(settings, agent, rollout_state, known.value, *step_taken)
        if resetting.any():
            before = rollout_state.cells, rollout_state.trace_state
            cells, traces = self.programs.chosen(resetting, before, (cells, traces))
        row: dict[str, Any] = {
            "observation": rollout_state.observation,
            "final_observation": self._columns(final),
            "logits": np.asarray(output.logits),
            "readout": np.asarray(output.readout),
            "action": action,
            "reward": reward,
            "terminated": terminated,
            "truncated": truncated,
            "episode_return": episode_return,
            "at_bound": np.asarray(at_bound),
            "td_error": None if known is None else np.asarray(known.td_error),
        }
        done = terminated | truncated
        if done.any():
            cells = self.programs.reset(settings, agent, cells, done, episode_return, key)
        self.resetting = done if self.mode == AutoresetMode.NEXT_STEP else np.zeros_like(done)
        after = RolloutState(
            env_state=None,
            observation=self._columns(observation),
            cells=cells,
            episode_return=np.where(done, 0.0, episode_return).astype(np.float32),  # pyright: ignore[reportArgumentType]
            trace_state=traces,
            discounted_sum=rollout_state.discounted_sum,
        )
        return after, Experience(**row), (~resetting).astype(np.float32)

    def _told(self, rollout_state: RolloutState) -> RolloutState:
        """Where the environments stand, with nothing known of how those came there that only reset now."""
        traces = rollout_state.trace_state
        if traces is None or not self.resetting.any():
            return rollout_state
        return rollout_state._replace(trace_state=traces._replace(truncated=traces.truncated | self.resetting))

    def _executed(self, settings: Settings, action: np.ndarray) -> np.ndarray:
        """Actions as the environments take them."""
        if self.range is None:
            return action.reshape(-1)
        flat = action.transpose(0, 2, 1).reshape(self.envs.num_envs, -1)
        return self.range.executed(np.tanh(flat) if settings.ppo.squash else flat).astype(self.dtype)

    def _final(self, observation: np.ndarray, done: np.ndarray, info: dict[str, Any]) -> np.ndarray:
        """What each action led to, before any reset."""
        if self.mode != AutoresetMode.SAME_STEP or not done.any():
            return observation
        final = np.array(observation, np.float32)
        for i in np.flatnonzero(done):
            final[i] = info["final_obs"][i]
        return final

    def _rows(self, values: Any) -> np.ndarray:
        return np.asarray(values).reshape(self.runs, self.copies)

    def _columns(self, observation: np.ndarray) -> Any:
        cut = np.asarray(observation, np.float32).reshape(self.runs, self.copies, -1)
        return np.ascontiguousarray(cut.transpose(0, 2, 1))
