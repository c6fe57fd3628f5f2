"""Agents without training, that act as trained ones do."""

import dataclasses

import jax
import jax.numpy as jnp

from morphorl.dynamics.blending import Blend
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import registry
from morphorl.ppo import task
from morphorl.ppo.agent import init_agent
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.settings import PPO, PRESETS, Settings

KINDS = {
    "guided": Settings(guidance=Blind(strength=0.1)),
    "tuned, softmax on a lattice": Settings(
        ppo=PRESETS["tuned"],
        dynamics=ReactionDiffusion(
            coupling="lattice", emphasis="softmax", normalise=True, readout="difference", drive=0.2
        ),
    ),
    "winner on a ring": Settings(
        dynamics=ReactionDiffusion(coupling="ring", emphasis="winner"), blend=Blend(kind="add")
    ),
    "reservoir": Settings(dynamics=EchoState()),
    "GRU": Settings(ppo=PPO(network="gru", hidden=(16, 16), activation="relu"), blend=Blend(kind="none")),
    "memory": Settings("StatelessCartPole-v1", memory=LeakyIntegrators()),
    "reservoir memory": Settings(
        "StatelessCartPole-v1",
        memory=EchoState(
            wiring="cycle",
            spectral_radius=0.6,
            input_scale=0.3,
        ),
        blend=Blend(kind="none"),
    ),
    "continuous": Settings("gym:Pendulum-v1"),
    "plain": Settings(blend=Blend(kind="none")),
}


def agent(settings, seed=3):
    """An agent with logits as large as a trained one's, that has seen some observations."""
    env = task.around(settings, registry.make_env(settings.environment))
    keys = jax.random.key(seed), jax.random.key(1)
    one = init_agent(settings, env.num_features, env.num_actions, *keys, continuous=env.continuous)
    weights = (*one.actor.weights[:-1], 100 * one.actor.weights[-1])
    seen = one.statistics._replace(size=jnp.array(10.0), deviations=jnp.full(env.num_features, 0.4))
    one = dataclasses.replace(one, actor=dataclasses.replace(one.actor, weights=weights), statistics=seen)
    return Agents([settings], [seed], jax.tree.map(lambda u: u[None], one))
