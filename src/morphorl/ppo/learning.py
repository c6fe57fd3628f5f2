"""Learning from one rollout: epochs of minibatch steps of Adam on PPO's loss."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from morphorl.ppo import kernels
from morphorl.ppo.fused import learning as fused
from morphorl.ppo.losses import Networks, Scalar, ppo_loss
from morphorl.ppo.samples import Samples, Sequences
from morphorl.ppo.settings import PPO, Settings


def optimiser(ppo: PPO) -> optax.GradientTransformation:
    """Clipping by the global norm, then Adam's direction; `learn` multiplies it by the learning rate."""
    return optax.chain(optax.clip_by_global_norm(ppo.max_gradient_norm), optax.scale_by_adam(eps=1e-5))


def shuffle(key: PRNGKeyArray, epochs: int, batch: int) -> Int[Array, "epochs batch"]:
    """A random order of the batch for each epoch.

    Random numbers whose last bits are replaced by the position are sorted, and the positions read off: sorting one
    array of plain numbers is twice as fast on a CPU as `jax.random.permutation`, which sorts pairs.
    """
    position = jnp.arange(batch, dtype=jnp.uint32)[None]
    last_bits = jnp.uint32(2 ** (batch - 1).bit_length() - 1)
    numbers = jax.random.bits(key, (epochs, batch)) & ~last_bits | position
    return (jnp.sort(numbers, axis=1) & last_bits).astype(jnp.int32)


def learn(
    settings: Settings,
    networks: Networks,
    optimiser_state: optax.OptState,
    samples: Samples | Sequences,
    learning_rate: Scalar,
    key: PRNGKeyArray,
) -> tuple[Networks, optax.OptState, Bool[Array, ""]]:
    """Several epochs of minibatch steps on one rollout; also returns whether loss and gradient stayed finite.

    The fused kernel does it where the settings ask for it and it knows their networks, XLA everywhere else.
    """
    ppo = settings.ppo
    if settings.kernel == "fused" and kernels.takes(settings) and isinstance(samples, Samples):
        return fused.learn(settings, networks, optimiser_state, samples, learning_rate, key)
    batch = ppo.num_envs if isinstance(samples, Sequences) else ppo.batch
    minibatches = shuffle(key, ppo.epochs, batch).reshape(ppo.epochs * ppo.minibatches, -1)
    return descend(settings, networks, optimiser_state, samples, learning_rate, minibatches)


def descend(
    settings: Settings,
    networks: Networks,
    optimiser_state: optax.OptState,
    samples: Samples | Sequences,
    learning_rate: Scalar,
    minibatches: Int[Array, "steps minibatch"],
) -> tuple[Networks, optax.OptState, Bool[Array, ""]]:
    """A step of Adam for each minibatch, which is given by the places of its samples."""

    def step(carry, chosen):
        networks, optimiser_state, finite = carry
        minibatch = jax.tree.map(lambda u: u[..., chosen], samples)
        loss, gradient = jax.value_and_grad(ppo_loss)(networks, settings, minibatch)
        finite = finite & jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(gradient))
        direction, optimiser_state = optimiser(settings.ppo).update(gradient, optimiser_state)
        networks = jax.tree.map(lambda w, d: w - learning_rate * d, networks, direction)
        return (networks, optimiser_state, finite), None

    return jax.lax.scan(step, (networks, optimiser_state, jnp.array(True)), minibatches)[0]
