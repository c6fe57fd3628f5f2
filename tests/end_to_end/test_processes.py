"""Environments and training in processes that Python's multiprocessing starts, and in threads: right, or a sentence.

Each script runs in a process of its own, with a time-out: what went wrong here once was a wait without end.
"""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from helpers.processes import QUICKLY_COMPILED

PATIENCE = 180.0
"""Seconds after which a script counts as waiting for ever."""
BEGINNING = """
import functools, multiprocessing, sys, warnings
warnings.filterwarnings("ignore", ".*fork.*")
import gymnasium, numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from morphorl import CellObservation, ReactionDiffusion

def make(append="readout"):
    return CellObservation(gymnasium.make("CartPole-v1"), ReactionDiffusion(reset="redraw"), append=append)

def play(envs):
    seen = [envs.reset(seed=3)[0]] + [envs.step(np.ones(2, int))[0] for _ in range(15)]
    envs.close()
    return np.stack(seen)
"""


def say(script, folder):
    """The lines that a script says; the whole group of its processes ends with it."""
    file = folder / "script.py"
    file.write_text(BEGINNING + textwrap.dedent(script))
    options = {"env": QUICKLY_COMPILED, "cwd": folder, "text": True, "start_new_session": True}
    with subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    ) as process:
        try:
            said, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"The script waited for {PATIENCE} seconds, and would have for ever.")
    assert process.returncode == 0, errors
    return said.splitlines()


def test_environments_in_processes_see_what_they_do_in_this_one(tmp_path):
    """Forked before JAX has started, and spawned before and after; from a function and from a lambda."""
    ran = """
        if __name__ == "__main__":
            contexts = ["fork", "forkserver", "spawn"]
            seen = [play(AsyncVectorEnv([make, lambda: make()], context=context)) for context in contexts]
            here = play(SyncVectorEnv([make, make]))
            for context, one in zip(contexts, seen):
                np.testing.assert_array_equal(one, here, err_msg=context)
            print(here.shape, len(np.unique(here[0, :, -1])))
    """
    assert say(ran, tmp_path) == ["(16, 2, 6) 2"]


REFUSED = (
    "SettingError: multiprocessing context = 'fork': must be 'spawn' or 'forkserver' where JAX has started before, for "
    "its threads do not survive a fork. Say AsyncVectorEnv(…, context='spawn') or "
    "SubprocVecEnv(…, start_method='spawn'); multiprocessing.get_context('spawn') starts any other process."
)


def test_a_fork_after_jax_has_started_is_told_and_waits_for_nothing(tmp_path):
    ran = """
        import jax.numpy as jnp
        import morphorl
        from morphorl import PPO, Settings, Study

        def attempt(act, queue):
            try:
                queue.put(f"finished: {act()}")
            except Exception as error:
                queue.put(f"{type(error).__name__}: {error}")

        def told(act):
            queue = multiprocessing.get_context("fork").SimpleQueue()
            process = multiprocessing.get_context("fork").Process(target=attempt, args=(act, queue))
            process.start()
            process.join()
            return queue.get()

        def vector(append):
            envs = AsyncVectorEnv([functools.partial(make, append)] * 2, context="fork")
            try:
                play(envs)
            except Exception as error:
                envs.close(terminate=True)
                return f"{type(error).__name__}: {error}"

        ppo = PPO(num_envs=4, rollout_steps=50, minibatches=2, hidden=(8,))
        small = dict(ppo=ppo, steps=200, evaluate_every=0)
        study = Study("forked", ("CartPole-v1",), {"agent": Settings(environment="CartPole-v1", **small)}, 1)
        trained = morphorl.train("CartPole-v1", seeds=1, progress=False, **small)
        env = make()
        env.reset(seed=0)
        print(vector("readout"))
        print(vector("state"))
        print(told(lambda: env.step(0)))
        print(told(lambda: morphorl.train("CartPole-v1", seeds=1, progress=False, **small)))
        print(told(lambda: morphorl.run_study(study, "study", progress=False)))
        print(told(lambda: morphorl.evaluate(trained.agents, 1)))
        print(morphorl.run_study(study, "study", progress=False))
    """
    assert say(ran, tmp_path) == [REFUSED] * 6 + ["0"]


def test_two_threads_train_at_once_as_each_does_alone(tmp_path):
    ran = """
        import threading
        from morphorl import PPO, train

        ppo = PPO(num_envs=4, rollout_steps=50, minibatches=2, hidden=(8,))
        found = {}

        def learn(seed):
            found[seed] = train("CartPole-v1", dynamics=ReactionDiffusion(), ppo=ppo, steps=400, seeds=2,
                                first_seed=seed, evaluate_every=200, evaluation_episodes=2, progress=False)

        threads = [threading.Thread(target=learn, args=(seed,)) for seed in (0, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        at_once, found = found, {}
        for seed in (0, 5):
            learn(seed)
            print(seed, at_once[seed].curves.equals(found[seed].curves, null_equal=True))
            for one, other in zip(at_once[seed].agents.arrays.actor.weights, found[seed].agents.arrays.actor.weights):
                np.testing.assert_array_equal(one, other)
    """
    assert say(ran, tmp_path) == ["0 True", "5 True"]
