"""SparseAcrobot beside gymnax's Acrobot: the same motion, paid at the goal alone."""

import jax
import jax.numpy as jnp
import numpy as np
from gymnax.environments.classic_control.acrobot import EnvState
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.environments import registry


def test_it_moves_as_acrobot_does_and_pays_where_the_other_stops_charging():
    sparse, dense = (registry.make_env(name) for name in ("SparseAcrobot-v1", "Acrobot-v1"))
    angles = jnp.linspace(0, np.pi, 40)
    zeros = jnp.zeros(40)
    states = EnvState(
        time=jnp.zeros(40, jnp.int32), joint_angle1=angles, joint_angle2=zeros, velocity_1=zeros, velocity_2=zeros
    )
    keys, actions = jax.random.split(jax.random.key(0), 40), jnp.full(40, 2)
    ours, theirs = (jax.jit(jax.vmap(env.step))(keys, states, actions) for env in (sparse, dense))
    assert_allclose(ours.observation, theirs.observation)
    assert_array_equal(ours.terminated, theirs.terminated)
    assert 0 < ours.terminated.sum() < 40
    assert_array_equal(ours.reward, ours.terminated.astype(float))
    assert_array_equal(theirs.reward, -(~theirs.terminated).astype(float))
