"""The fused kernel inside a compiled program: from JAX's pytrees to its flat arrays, and back."""

from typing import cast

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, PRNGKeyArray

from morphorl.config.choices import choose
from morphorl.dynamics.blending import Blend
from morphorl.ppo import kernels
from morphorl.ppo.losses import Networks, Scalar
from morphorl.ppo.samples import Samples
from morphorl.ppo.settings import Settings


def learn(
    settings: Settings,
    networks: Networks,
    optimiser_state: optax.OptState,
    samples: Samples,
    learning_rate: Scalar,
    key: PRNGKeyArray,
) -> tuple[Networks, optax.OptState, Bool[Array, ""]]:
    """As `learning.learn`, for settings that `kernels.takes`.

    Raises:
        SettingError: if the kernel cannot be used here.
    """
    kernels.refuse_unavailable("fused")
    from morphorl.ppo.fused import kernel, xla_call  # of the extra

    xla_call.register()
    ppo, continuous = settings.ppo, networks.log_deviation is not None
    network, readout = _shares(settings.blend)
    hyper = kernel.Hyper(
        learning_rate=learning_rate,
        clip=ppo.clip,
        value_clip=ppo.value_clip,
        value_coefficient=ppo.value_coefficient,
        entropy_coefficient=ppo.entropy_coefficient,
        max_gradient_norm=ppo.max_gradient_norm,
        network=network,
        readout=readout,
        distil=0.0 if settings.blend.kind == "none" else settings.blend.distil,
    )
    shape = kernel.Shape(
        features=len(samples.observation),
        first=ppo.hidden[0],
        second=ppo.hidden[1],
        actions=len(samples.readout),
        relu=ppo.activation == "relu",
        continuous=continuous,
        samples=ppo.batch,
        minibatch=ppo.batch // ppo.minibatches,
        epochs=ppo.epochs,
    )
    empty, adam = cast(tuple[optax.EmptyState, optax.ScaleByAdamState], optimiser_state)
    flat, as_networks = ravel_pytree(networks)
    result = jax.ShapeDtypeStruct(flat.shape, jnp.float32)
    call = jax.ffi.ffi_call(
        xla_call.NAME, (result, result, result, jax.ShapeDtypeStruct((), jnp.bool_)), vmap_method="broadcast_all"
    )
    flat, mean, square, finite = call(
        flat,
        ravel_pytree(adam.mu)[0],
        ravel_pytree(adam.nu)[0],
        adam.count,
        _table(samples, readout_counts=settings.blend.update != "network"),
        jax.random.bits(key, (ppo.epochs, ppo.batch)),
        jnp.stack([jnp.asarray(number, jnp.float32) for number in hyper]),
        jnp.array(shape, jnp.int32),
    )
    count = adam.count + ppo.epochs * ppo.minibatches
    adam = adam._replace(count=count, mu=as_networks(mean), nu=as_networks(square))
    return as_networks(flat), (empty, adam), finite


def _shares(blend: Blend) -> tuple[Scalar, Scalar]:
    """What network and readout count in the blend that the loss knows."""
    if blend.update == "network":
        return 1.0, 0.0
    weight, one = jnp.asarray(blend.weight, jnp.float32), jnp.float32(1)
    kinds = {"none": lambda w: (one, 0 * one), "average": lambda w: (1 - w, w), "add": lambda w: (one, w)}
    return choose(blend.kind, kinds, weight)


def _table(samples: Samples, *, readout_counts: bool) -> Array:
    """The samples as the kernel takes them, one a row; zeros for a readout that the update forgets."""
    single = jnp.ndim(samples.action) == 1
    action = samples.action.astype(jnp.float32)
    weight = jnp.ones_like(samples.value) if samples.weight is None else samples.weight
    numbers = jnp.stack([samples.log_prob, samples.value, samples.advantage, weight])
    readout = samples.readout if readout_counts else jnp.zeros_like(samples.readout)
    return jnp.concatenate([samples.observation, readout, action[None] if single else action, numbers]).T
