"""The same program on other numbers of devices, as on an accelerator: host devices forced in a process of its own."""

import os
import subprocess
import sys

import numpy as np
import pytest

from helpers.processes import QUICKLY_COMPILED

TRAIN = """
import sys
import jax
jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
jax.config.update("jax_compilation_cache_dir", sys.argv[3])
import numpy as np
from morphorl.studies import batch_training
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies.study import Study
settings = Settings(steps=600, evaluate_every=0, ppo=PPO(num_envs=4, rollout_steps=50, minibatches=2, hidden=(8,)))
runs = Study("devices", ("CartPole-v1",), {"agent": settings}, 3).runs()
result = batch_training.train_batch(runs, int(sys.argv[2]))
assert len(jax.devices()) == int(sys.argv[1])
np.savez(sys.stdout.buffer, returns=result.curve.episode_return, weights=result.agents.actor.weights[0])
"""


def trained(devices, size, folder):
    """Returns and weights of three runs, trained as a batch of `size` divided among (at most) `devices`."""
    cache = os.environ.get("MORPHORL_CACHE") or os.path.expanduser("~/.cache/morphorl")
    command = [sys.executable, "-c", TRAIN, str(devices), str(size), cache + "/jax"]
    path = folder / f"{devices}.npz"
    with path.open("wb") as file:
        subprocess.run(command, stdout=file, env=QUICKLY_COMPILED, check=True)
    return np.load(path, allow_pickle=False)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return trained(1, 3, tmp_path_factory.mktemp("alone"))


@pytest.mark.parametrize(("devices", "size"), [(4, 4), (8, 3)])
def test_several_devices_train_as_one_does(devices, size, alone, tmp_path):
    divided = trained(devices, size, tmp_path)
    np.testing.assert_allclose(divided["returns"], alone["returns"], rtol=1e-5)
    np.testing.assert_allclose(divided["weights"], alone["weights"], rtol=1e-3, atol=1e-4)
