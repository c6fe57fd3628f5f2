"""A ring of Hopf oscillators round which a wave travels: one rhythm for all actions, each somewhat behind the last."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FINITE, FRACTION, POSITIVE, UNITS, Allowed, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.bistable import restoring
from morphorl.dynamics.guidance.base import nothing

WHOLE = Allowed("a whole number", lambda value: float(value).is_integer())


class Oscillators(NamedTuple):
    """Real and imaginary part of z, dimensionless; parallel environments add an axis."""

    real: Float[Array, "oscillators *envs"]
    imaginary: Float[Array, "oscillators *envs"]


class Places(NamedTuple):
    """Which oscillator belongs to which action, and which to which feature: 1 there, and 0 elsewhere."""

    actions: Float[Array, "actions oscillators"]
    features: Float[Array, "features oscillators"]


class OscillatorRing(Dynamics):
    """Oscillators z_j on a ring, each drawn to where its two neighbours expect it in a wave.

        z_j' = ( μ + i·Ω_j − |z_j|² )·z_j + K·( (e^{−iφ}·z_{j−1} + e^{iφ}·z_{j+1})/2 − z_j ) + guide(z_j)
        Ω_j  = 2π·f − κ·x_j·Im z_j/√μ,   φ = 2π·m/n

    Left alone, an oscillator has the amplitude √μ and the period 1/f. The coupling vanishes on a wave z_j ∝ e^{−iφj},
    which goes m times round the ring of n: each oscillator does what the one before did m/(n·f) steps ago, and for
    negative m the wave travels the other way. Where oscillators have left that wave, the coupling pulls them back.

    The observation moves phases, on the limit cycle by −κ·x_j·sin θ_j: x_j is the feature whose place is oscillator j,
    or 0. The features' places are spread evenly round the ring. A single oscillator under x = X·sin(ω′t) follows that
    rhythm where |2π·f − ω′| < κ·X/2, approximately, and otherwise slips.

    In a step, coupling and guidance are added first; growth and rotation then follow exactly. So the amplitude is at
    most √(μ/(1 − e^{−2μ})) at any input.

    Readout: o_k = A·Re z_j/√μ of the oscillator at k·`spacing` degrees. As memory it shows [x, Re z_j/√μ, Im z_j/√μ] of
    the same oscillators, on the limit cycle the cosine and sine of their phases. A ring that is seen and one that is
    blended have the same phase, up to a constant, if both start at a phase of zero and have no drive.

    Source: oscillators as pattern generators: Ijspeert, "Central pattern generators for locomotion control in animals
    and robots: a review", Neural Networks, 2008; waves by phase lags: Cohen, Holmes and Rand, "The nature of the
    coupling between segmental oscillators of the lamprey spinal generator for locomotion", Journal of Mathematical
    Biology, 1982; what follows a rhythm: Adler, "A study of locking phenomena in oscillators", 1946.
    """

    oscillators: int = setting(18, UNITS, static=True)
    """n, on the ring: one every 20 degrees."""
    frequency: float = setting(0.02, FINITE)
    """f, in cycles per environment step."""
    waves: float = setting(1.0, WHOLE)
    """m: whole waves round the ring; the sign is the direction, and with 0 all oscillators are in phase."""
    spacing: float = setting(40.0, FINITE, learned="fixed")
    """Degrees round the ring from one action's oscillator to the next action's (the nearest one is taken)."""
    growth: float = setting(0.1, POSITIVE)
    """μ: how fast a small amplitude grows, per environment step; it returns to √μ at twice that rate."""
    coupling: float = setting(0.1, FRACTION)
    """K: the share of the way to where its neighbours expect it that an oscillator goes, per environment step."""
    drive: float = setting(0.0, FINITE)
    """κ: by how much the observation moves phases, in radians per environment step (0: off)."""
    amplitude: float = setting(1.0, FINITE)
    """A: amplitude of the readout, in units of the logits (or of the means)."""
    phase: Literal["zero", "random"] = setting("zero", static=True)
    """The first oscillator's phase at the start: 0, or drawn."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Oscillators:
        """One wave with the amplitude √μ."""
        first = jax.random.uniform(key, maxval=2 * jnp.pi) if self.phase == "random" else 0.0
        start = Oscillators(jnp.sqrt(self.growth) * jnp.ones(self.oscillators), jnp.zeros(self.oscillators))
        return rotated(start, first - self.lag * jnp.arange(self.oscillators))

    def constants(self, key: PRNGKeyArray, shape: Shape) -> Places:
        """The places on the ring; nothing is drawn."""
        features, actions = shape
        sites = jnp.round(jnp.arange(actions) * self.spacing * self.oscillators / 360).astype(int)
        return Places(
            actions=jax.nn.one_hot(jnp.mod(sites, self.oscillators), self.oscillators),
            features=jax.nn.one_hot(jnp.arange(features) * self.oscillators // features, self.oscillators),
        )

    def step(
        self,
        state: Oscillators,
        observation: Float[Array, " features"],
        guide: Guide = nothing,
        *,
        constants: Places,
    ) -> Oscillators:
        previous = rotated(jax.tree.map(lambda u: jnp.roll(u, 1), state), -self.lag)
        following = rotated(jax.tree.map(lambda u: jnp.roll(u, -1), state), self.lag)

        def added(u, one, other):
            return u + self.coupling * ((one + other) / 2 - u) + guide(u)

        z = jax.tree.map(added, state, previous, following)
        grown = restoring((z.real**2 + z.imaginary**2) / self.growth, self.growth)
        z = jax.tree.map(lambda u: grown * u, z)
        sine = z.imaginary / jnp.sqrt(self.growth)
        return rotated(z, 2 * jnp.pi * self.frequency - self.drive * (observation @ constants.features) * sine)

    def read(
        self, state: Oscillators, observation: Float[Array, " features"], *, constants: Places
    ) -> Float[Array, " actions"]:
        return self.amplitude / jnp.sqrt(self.growth) * (constants.actions @ state.real)

    def show(
        self, state: Oscillators, observation: Float[Array, " features"], *, constants: Places
    ) -> Float[Array, " shown"]:
        phases = [constants.actions @ u / jnp.sqrt(self.growth) for u in state]
        return jnp.concatenate([observation, *phases])

    def diagnose(self, states: Oscillators) -> Float[Array, ""]:
        """How much of the rings is one wave of the set direction: 1 if all, about 1/√n if phases are random."""
        turned = rotated(states, (self.lag * jnp.arange(self.oscillators))[:, None])
        along = sum(jnp.mean(u, axis=0) ** 2 for u in turned)
        power = jnp.mean(states.real**2 + states.imaginary**2, axis=0)
        return jnp.mean(jnp.sqrt(along / jnp.maximum(power, 1e-12)))

    @property
    def lag(self) -> float | Float[Array, ""]:
        """φ: by how much each oscillator is behind the one before, in radians."""
        return 2 * jnp.pi * self.waves / self.oscillators


def rotated(z: Oscillators, angle: float | Float[Array, "..."]) -> Oscillators:
    """e^{i·angle}·z."""
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return Oscillators(cosine * z.real - sine * z.imaginary, sine * z.real + cosine * z.imaginary)
