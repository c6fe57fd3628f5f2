"""How the tests run a system: many steps in one compiled loop."""

import jax

from morphorl.dynamics.base import call
from morphorl.dynamics.guidance.base import nothing


def trajectory(system, state, observations, constants=None, guide=nothing):
    """The states after each step under observations of shape (steps, features)."""

    @jax.jit
    def run(state, observations):
        def one(state, observation):
            after = call(system.step, {"constants": constants}, state, observation, guide)
            return after, after

        return jax.lax.scan(one, state, observations)[1]

    return run(state, observations)


def last(states):
    """The state after the last step."""
    return jax.tree.map(lambda u: u[-1], states)
