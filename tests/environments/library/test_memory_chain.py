"""MemoryChain of any length: the cue is seen at the start alone, and asked for after so many steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.config.errors import SettingError
from morphorl.environments import registry


@pytest.mark.parametrize("length", [1, 16])
def test_the_cue_is_asked_for_after_so_many_steps(length):
    env = registry.make_env(f"MemoryChain-{length}")
    state, first = env.reset(jax.random.key(3))
    cue, step, rewards, seen = int(first[2] > 0), jax.jit(env.step), [], []
    for _ in range(length + 1):
        after = step(jax.random.key(0), state, jnp.array(cue))
        state = after.state
        rewards.append(float(after.reward))
        seen.append(float(after.observation[2]))
    assert rewards == [0.0] * length + [1.0]
    assert bool(after.terminated)
    assert not after.truncated
    assert np.all(np.array(seen[1:]) == 0)


def test_a_length_that_is_none_is_refused():
    with pytest.raises(SettingError, match=r"the chain is '0' steps long; must be a whole number of at least 1"):
        registry.make_env("MemoryChain-0")
    assert registry.make_env("MemoryChain-bsuite").num_features == 3
