"""Functions translated to Python give what JAX gives, operation by operation; what is not known is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from morphorl.environments.scalar_program import MOST, scalar_program

VECTOR, MATRIX = np.array([0.3, -1.2, 2.5, -0.1], np.float32), np.linspace(-1, 1.4, 12, dtype=np.float32).reshape(4, 3)


def everything(x, m):
    """Every operation that is translated, on a vector and a matrix; results of all shapes."""
    positive, small = jnp.abs(x) + 0.1, jnp.tanh(x) / 2
    split = jnp.split(m, [1, 3])
    return {
        "arithmetic": [x + 1, 2 * x, x - m[:, 0], x / positive, -x, x**2, x**-3, x**0, positive**1.7, jnp.square(x)],
        "functions": [jnp.exp(x), jnp.expm1(x), jnp.log(positive), jnp.log1p(positive), jnp.sin(x), jnp.cos(x)],
        "more": [jnp.tan(small), jnp.sqrt(positive), jax.lax.rsqrt(positive), jax.nn.sigmoid(9 * x), jax.lax.erf(x)],
        "steps": [jnp.sign(x), jnp.floor(x), jnp.ceil(x), jnp.maximum(x, 0), jnp.minimum(x, small), jnp.clip(x, -1, 1)],
        "clamp": jax.lax.clamp(jnp.float32(-1), x, jnp.float32(1)),
        "choices": jnp.where((x > 0) & ~(x >= 1) | (x < -1) ^ (x <= -1), x, 7.0) + jnp.where(x == x[0], 1.0, 0.0),
        "softmax": jax.nn.softmax(x),
        "reductions": [m.sum(), m.sum(0), m.mean(1), m.max(0), m.min(), jnp.std(x)],
        "winner": jax.nn.one_hot(jnp.argmax(jnp.abs(m), axis=0), 4),
        "products": [x @ m, m.T @ x, m.T @ m, x @ x, jnp.outer(x, x)],
        "moves": [
            jnp.roll(m, 1, 0),
            jnp.stack([x, x], 1),
            jnp.tile(x, 2),
            m.T,
            x[::-1],
            x[1::2],
            m[:, jnp.array([2, 0])],
        ],
        "parts": [*split, jnp.concatenate([x, x]), jnp.repeat(x[:, None], 2, axis=1), jax.nn.relu(x)],
        "constants": jnp.linspace(0.0, 1.0, 5) * x[0] + jnp.arange(5) + jnp.eye(5)[1],
    }


def test_every_operation_gives_what_jax_gives():
    found = scalar_program(everything, *(jax.ShapeDtypeStruct(u.shape, u.dtype) for u in (VECTOR, MATRIX)))
    expected = jax.jit(everything)(VECTOR, MATRIX)
    numbers = iter(found(VECTOR.tolist(), MATRIX.reshape(-1).tolist()))
    for path, leaf in jax.tree_util.tree_flatten_with_path(expected)[0]:
        ours = [next(numbers) for _ in range(leaf.size)]
        assert_allclose(ours, np.asarray(leaf).reshape(-1), rtol=2e-6, atol=1e-6, err_msg=jax.tree_util.keystr(path))
    assert next(numbers, None) is None


REFUSED = {
    "an operation that is not known": (jnp.sort, "sort"),
    "a loop": (lambda x: jax.lax.fori_loop(0, 3, lambda _, y: y * x, x), "scan|while"),
    "random numbers": (lambda x: x + jax.random.normal(jax.random.key(0), x.shape), "random"),
    "places known later": (lambda x: x[jnp.argmax(x)], "."),
    "another dtype": (lambda x: (x > 0).astype(jnp.int32), "other dtypes"),
    "very much": (lambda x: jnp.outer(x, jnp.ones(MOST)).sum(1), f"more than {MOST}"),
    "large constants": (
        lambda x: x + np.ones((MOST, 4), np.float32).sum(0) + jnp.asarray(np.ones(MOST + 1)).sum(),
        "more",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_refused(case):
    function, sentence = REFUSED[case]
    with pytest.raises(NotImplementedError, match=sentence):
        scalar_program(function, jax.ShapeDtypeStruct((4,), np.float32))
