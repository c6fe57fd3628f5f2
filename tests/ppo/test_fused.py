"""The fused kernel against XLA: the same steps in the same order, the same word on what is not finite."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.config import extras
from morphorl.config.choices import mix, mixed_choices
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.ppo import kernels, learning
from morphorl.ppo.agent import init_agent
from morphorl.ppo.fused import learning as fused
from morphorl.ppo.losses import networks_of
from morphorl.ppo.samples import Samples
from morphorl.ppo.settings import PPO, Settings

needs_kernel = pytest.mark.skipif(kernels.unavailable() is not None, reason=str(kernels.unavailable()))

FEATURES, ACTIONS = 5, 3  # neither fills the kernel's tiles
PLAIN = PPO(num_envs=3, rollout_steps=64, minibatches=2, epochs=3)  # minibatches of a block and a half


def case(ppo=None, actions=ACTIONS, continuous=False, weighted=False, **changes):
    """Settings, networks that have learned a little, and samples that lie on both sides of where things are clipped."""
    settings = Settings(ppo=dataclasses.replace(PLAIN, **(ppo or {})), **changes)
    rng = np.random.default_rng(0)
    batch = settings.ppo.batch

    def normal(*shape):
        return jnp.array(rng.normal(size=shape), jnp.float32)

    keys = jax.random.key(0), jax.random.key(1)
    agent = init_agent(settings, FEATURES, actions, *keys, continuous=continuous)
    networks = jax.tree.map(lambda w: w + normal(*w.shape) / 5, networks_of(agent))
    state = learning.optimiser(settings.ppo).init(networks)
    moments = state[1]._replace(
        count=jnp.array(7), mu=jax.tree.map(lambda w: w / 9, networks), nu=jax.tree.map(jnp.square, networks)
    )
    action = normal(actions, batch) if continuous else jnp.array(rng.integers(actions, size=batch), jnp.int32)
    samples = Samples(
        observation=normal(FEATURES, batch),
        readout=2 * normal(actions, batch),
        action=action,
        log_prob=-1.1 + 0.4 * normal(batch),
        value=0.3 * normal(batch),
        advantage=normal(batch),
        weight=jnp.array(rng.random(batch) < 0.8, jnp.float32) if weighted else None,
    )
    return settings, networks, (state[0], moments), samples


CASES = {
    "plain": {"blend": Blend("none")},
    "relu, two widths": {"ppo": {"hidden": (48, 16), "activation": "relu"}, "blend": Blend("none")},
    "wide": {"ppo": {"hidden": (16, 144), "value_clip": math.inf, "max_gradient_norm": math.inf}},
    "seventeen actions": {"actions": 17, "blend": Blend("add", weight=0.7)},
    "a minibatch of nine": {"ppo": {"num_envs": 1, "rollout_steps": 18, "entropy_coefficient": 0.3}},
    "distilled": {"blend": Blend("average", weight=0.6, distil=0.5)},
    "forgetful": {"blend": Blend("average", weight=0.3, update="network")},
    "weighted": {"weighted": True},
    "continuous": {"continuous": True, "actions": 2, "ppo": {"entropy_coefficient": 0.1}},
    "continuous, distilled": {"continuous": True, "weighted": True, "blend": Blend("add", weight=0.4, distil=0.5)},
}


def by_xla(settings, networks, state, samples, rate, key):
    """XLA's steps, in the order that the kernel takes the samples in."""
    from morphorl.ppo.fused import kernel

    ppo = settings.ppo
    words = np.asarray(jax.random.bits(key, (ppo.epochs, ppo.batch))).reshape(-1)
    order = jnp.array(kernel.shuffled.py_func(words, ppo.epochs, ppo.batch))
    return jax.jit(learning.descend)(
        settings, networks, state, samples, rate, order.reshape(ppo.epochs * ppo.minibatches, -1)
    )


by_kernel = jax.jit(fused.learn)


def apart(one, other):
    """The largest difference of two pytrees, relative to each array's largest number."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(float(jnp.max(jnp.abs(a - b)) / (1e-9 + jnp.max(jnp.abs(b)))) for a, b in pairs)


@needs_kernel
@pytest.mark.parametrize("name", CASES)
def test_the_kernel_takes_the_steps_of_xla(name):
    settings, networks, state, samples = case(**CASES[name])
    expected = by_xla(settings, networks, state, samples, 3e-3, jax.random.key(3))
    found = by_kernel(settings, networks, state, samples, 3e-3, jax.random.key(3))
    assert found[2] == expected[2] == True  # noqa: E712
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    assert apart(found[:2], expected[:2]) < 5e-6
    assert apart(found[0], networks) > 1e-2


@needs_kernel
def test_agents_beside_each_other_learn_as_each_alone():
    """Of different readings of the blend, in one program, under two `vmap`s."""
    one, networks, state, samples = case(blend=Blend("average", weight=0.3))
    other = dataclasses.replace(one, blend=Blend("add", weight=0.7))
    places = mixed_choices([one, other])
    both = jax.tree.map(lambda *leaves: jnp.array(leaves)[:, None], *(mix(s, places) for s in (one, other)))
    keys = jax.random.split(jax.random.key(5), 2)[:, None]
    learn = jax.vmap(
        jax.vmap(fused.learn, in_axes=(0, None, None, None, None, 0)), in_axes=(0, None, None, None, None, 0)
    )
    found = jax.jit(learn)(both, networks, state, samples, 1e-3, keys)
    for i, settings in enumerate((one, other)):
        alone = by_kernel(settings, networks, state, samples, 1e-3, keys[i, 0])
        assert apart(jax.tree.map(lambda u, i=i: u[i, 0], found[:2]), alone[:2]) < 1e-6


BROKEN = {
    "advantage nan": ("advantage", math.nan),
    "advantage inf": ("advantage", math.inf),
    "value nan": ("value", math.nan),
    "value large": ("value", 1e25),
    "observation nan": ("observation", math.nan),
    "observation inf": ("observation", math.inf),
    "readout inf": ("readout", -math.inf),
    "readout nan": ("readout", math.nan),
    "readout large": ("readout", 1e20),
    "log_prob -200": ("log_prob", -200.0),
    "log_prob -60": ("log_prob", -60.0),
    "log_prob nan": ("log_prob", math.nan),
}


@needs_kernel
@pytest.mark.parametrize("advantage", [3.0, -3.0])
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_finite_is_said_as_xla_says_it(name, advantage):
    settings, networks, state, samples = case(ppo={"epochs": 1})
    field, value = BROKEN[name]
    samples = samples._replace(advantage=samples.advantage.at[5].set(advantage))
    samples = samples._replace(**{field: getattr(samples, field).at[..., 5].set(value)})
    found, expected = (
        learn(settings, networks, state, samples, 1e-3, jax.random.key(3)) for learn in (by_kernel, by_xla)
    )
    assert found[2] == expected[2]
    assert finite(found[0]) == finite(expected[0])


@needs_kernel
def test_an_update_that_forgets_the_readout_does_not_look_at_it():
    settings, networks, state, samples = case(ppo={"epochs": 1}, blend=Blend("average", weight=0.3, update="network"))
    expected = by_kernel(settings, networks, state, samples, 1e-3, jax.random.key(3))
    samples = samples._replace(readout=samples.readout.at[:, 5].set(-math.inf))
    found = by_kernel(settings, networks, state, samples, 1e-3, jax.random.key(3))
    assert found[2]
    assert apart(found[:2], expected[:2]) == 0


@needs_kernel
@pytest.mark.parametrize("rate", [1e30, math.inf, math.nan])
def test_a_wild_rate_is_said_as_xla_says_it(rate):
    settings, networks, state, samples = case(ppo={"epochs": 1})
    found, expected = (
        learn(settings, networks, state, samples, rate, jax.random.key(3)) for learn in (by_kernel, by_xla)
    )
    assert found[2] == expected[2]
    assert finite(found[0]) == finite(expected[0])


def finite(tree):
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(tree))


@needs_kernel
def test_the_functions_of_vectors_are_those_of_numpy():
    import numba

    from morphorl.ppo.fused import vectors
    from morphorl.ppo.fused.vectors import load, store

    @numba.njit
    def fill(x, e, t, n):
        for i in range(0, len(x), 16):
            store(e, i, vectors.exp(load(x, i)))
            store(t, i, vectors.tanh(load(x, i)))
            store(n, i, vectors.log(vectors.at_least(load(x, i), vectors.full(vectors.f32(1e-30)))))

    x = np.concatenate([np.linspace(-88, 88, 8000), np.linspace(-1e-3, 1e-3, 176)]).astype(np.float32)
    found = np.empty((3, len(x)), np.float32)
    fill(x, *found)
    inside = x.astype(float)
    expected = np.exp(inside), np.tanh(inside), np.log(np.maximum(inside, 1e-30))
    assert np.max(np.abs(found[0] / expected[0] - 1)[x > -87]) < 3e-7
    assert np.max(np.abs(found[1] - expected[1])) < 4e-7
    assert np.max(np.abs(found[2] - expected[2]) / np.maximum(1, np.abs(expected[2]))) < 2e-7
    odd = np.resize(np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], np.float32), 16)
    found = np.empty((3, 16), np.float32)
    fill(odd, *found)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found[0], np.exp(odd), atol=1e-37)
        np.testing.assert_allclose(found[1], np.tanh(odd), rtol=1e-6)


@needs_kernel
def test_each_epoch_takes_every_sample_once_in_any_order():
    import numba

    from morphorl.ppo.fused import kernel

    words = np.random.default_rng(0).integers(2**32, size=6 * 20_000, dtype=np.uint32)
    orders = numba.njit(kernel.shuffled.py_func)(words, 20_000, 6).reshape(-1, 6)
    assert (np.sort(orders, axis=1) == np.arange(6)).all()
    counts = np.array([np.bincount(column, minlength=6) for column in orders.T])
    assert np.sum((counts - 20_000 / 6) ** 2 / (20_000 / 6)) < 52  # chi², 25 degrees of freedom, p = .001


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"hidden": (32, 128), "activation": "relu"}, True),
        ({"hidden": (64, 60)}, False),
        ({"hidden": (64,)}, False),
        ({"hidden": (64, 64, 64)}, False),
        ({"skip": True}, False),
        ({"network": "gru", "minibatches": 1}, False),
    ],
)
def test_networks_that_the_kernel_does_not_know_are_xlas(changes, known, monkeypatch):
    monkeypatch.setattr(fused, "learn", lambda *arguments: "fused")
    monkeypatch.setattr(learning, "descend", lambda *arguments: "xla")
    settings, networks, state, samples = case(kernel="fused")
    settings = dataclasses.replace(settings, ppo=dataclasses.replace(settings.ppo, **changes))
    learned = learning.learn(settings, networks, state, samples, 1e-3, jax.random.key(0))
    assert learned == ("fused" if known else "xla")


REASONS = {
    "an extra": (lambda patch: patch.setitem(extras.EXTRAS, "fast", "not_there"), "it needs the extra 'fast', which"),
    "a processor": (
        lambda patch: patch.setattr("llvmlite.binding.get_host_cpu_features", lambda: {"avx2": False, "fma": True}),
        "it needs a processor with AVX2",
    ),
    "an interface": (lambda patch: patch.setattr(kernels, "_interface", lambda: (0, 5)), "and jaxlib"),
    "an accelerator": (lambda patch: patch.setattr(jax, "default_backend", lambda: "gpu"), "JAX computes on a gpu"),
}


@needs_kernel
@pytest.mark.parametrize("what", REASONS)
def test_what_is_missing_is_said(what, monkeypatch):
    change, sentence = REASONS[what]
    change(monkeypatch)
    with pytest.raises(SettingError, match=r"kernel = 'fused': cannot be used here: ") as refusal:
        kernels.refuse_unavailable("fused")
    assert sentence in str(refusal.value)
    kernels.refuse_unavailable("xla")
