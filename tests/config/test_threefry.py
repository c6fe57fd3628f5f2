"""Random numbers are those of the paper, in whatever form XLA gets them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry2x32_p
from numpy.testing import assert_array_equal

from morphorl.config.threefry import threefry

ONES = 0xFFFFFFFF
KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]
"""Key, counter and words of Threefry-2x32 with 20 rounds: the known answers published with Random123."""


def test_known_answers_come_from_what_jax_compiles():
    *arguments, answers = np.array(KNOWN, np.uint32).transpose(1, 2, 0)
    compiled = jax.jit(threefry2x32_p.bind)
    for one in (threefry, compiled):
        assert_array_equal(one(*map(jnp.asarray, np.concatenate(arguments))), answers)
    text = compiled.lower(*np.concatenate(arguments)).as_text()
    assert "optimization_barrier" in text
    assert "while" not in text
