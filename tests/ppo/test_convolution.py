"""Pictures: the convolution is XLA's own, a filter finds what it must, and other networks refuse it by name."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.probes import probe
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo import training
from morphorl.ppo.convolution import init_convolution
from morphorl.ppo.settings import PPO, Settings

PICTURE = (6, 5, 2)
CNN = PPO(network="cnn", filters=4, hidden=(16,), num_envs=8, rollout_steps=32, learning_rate=3e-3)


def test_it_is_the_convolution_that_xla_computes():
    made = init_convolution(jax.random.key(0), PICTURE, 3)
    made = replace(made, bias=jnp.array([0.1, -0.2, 0.3]))
    x = jax.random.normal(jax.random.key(1), (60, 7))
    pictures = x.T.reshape(7, *PICTURE)
    kernel = made.weight.T.reshape(3, 3, 2, 3)  # row, column, channel, filter
    expected = jax.lax.conv_general_dilated(
        pictures, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    expected = jax.nn.relu(expected + made.bias.reshape(1, 1, 1, 3))
    assert made.outputs == 4 * 3 * 3
    assert_allclose(made(x).reshape(3, 4, 3, 7).transpose(3, 1, 2, 0), expected, atol=1e-5)


def _show(time, cue):
    """A bar in the first channel, lying or standing: no single pixel tells."""
    bar = jnp.where(cue > 0, jnp.eye(6, 5).at[1:3, 1].set(1), jnp.eye(6, 5).at[1, 1:3].set(1))
    return jnp.stack([bar, jnp.zeros((6, 5))], axis=-1).reshape(-1)


SHAPES = probe("shapes", 60, 1, _show, lambda t, c, a: jnp.where((a == 0) == (c > 0), 1.0, -1.0))


def test_shapes_are_learned_and_dynamics_read_the_features():
    dynamics = ReactionDiffusion(initial_scale=0.0)
    settings = Settings("Breakout-MinAtar", 5_120, 5_120, ppo=CNN, dynamics=dynamics, blend=Blend("add", 0.1))
    state = jax.jit(training.train, static_argnums=1)(settings, SHAPES._replace(picture=PICTURE), 0)
    assert np.asarray(state.curve.greedy_return)[-1] == 1.0
    assert jax.tree.leaves(state.agent.pattern)[0].shape == (16, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"environment": "CartPole-v1"}, "ppo.network = 'cnn': must be 'mlp', 'gru' or 'lru'"),
        ({"memory": LeakyIntegrators()}, "memory.kind = 'leaky_integrators': must be 'none'"),
        ({"ppo": replace(CNN, skip=True)}, "ppo.skip = true: must be false"),
    ],
)
def test_what_does_not_go_with_it_is_refused(changes, words):
    with pytest.raises(SettingError, match=words):
        Settings(**{"environment": "Breakout-MinAtar", "ppo": CNN} | changes)
