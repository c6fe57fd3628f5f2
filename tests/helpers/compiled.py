"""Training and acting, compiled: one program for all numbers that settings may sweep."""

import jax

from morphorl.ppo import rollout, rollout_randomness, training

init = jax.jit(training.init, static_argnums=1)
update = jax.jit(training.update, static_argnums=1)
train = jax.jit(training.train, static_argnums=1)
draw = jax.jit(rollout_randomness.draw, static_argnums=1)
collect = jax.jit(rollout.collect, static_argnums=1)
evaluate = jax.jit(rollout.evaluate, static_argnums=(1, 4), static_argnames="greedy")
