"""What the playground computes with, as plain values ready for JSON: constants, settings, and the field's map."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from morphorl.config.plain import to_dict
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS as FIELDS
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardtEquation
from morphorl.dynamics.pde.linear_theory import critical_strength, steady_state
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import cartpole
from morphorl.ppo.settings import PRESETS
from morphorl.report.html_data import Plain

GRID = {"size": 64, "length": 48.0}
"""Of the field: a power of two of sites in each direction."""
STEP = 4.0
"""Of the field, in units of time: a step of first order is then within a hundredth of a long simulation's pattern."""
RATIOS, SATURATIONS = np.geomspace(8.0, 120.0, 25), np.linspace(0.0, 0.5, 11)
"""D_h/D_a and κ at which the map's boundary is computed."""
RUN = {"steps": 20_480, "anneal_steps": 100_000, "evaluate_every": 1_024}
"""Of the page's training, in environment steps: the first fifth of a run of 100,000."""
RANGES = {
    "strength": (0.0, 0.4, 0.005),
    "weight": (0.0, 1.0, 0.01),
    "activator_diffusion": (0.0, 1.0, 0.01),
    "inhibitor_diffusion": (0.0, 1.0, 0.01),
    "activator_production": (0.0, 0.5, 0.005),
    "inhibitor_production": (0.0, 0.5, 0.005),
    "activator_decay": (0.01, 0.5, 0.005),
    "inhibitor_decay": (0.01, 0.5, 0.005),
    "field_strength": (0.0, 0.008, 0.0001),
    "ratio": (8.0, 120.0, 1.0),
    "saturation": (0.0, 0.5, 0.01),
    "memory_strength": (0.0, 0.3, 0.005),
}
"""From where to where, and in which steps, each slider goes."""


def shared() -> Plain:
    """All that does not depend on the agents."""
    return {
        "constants": constants(),
        "ranges": RANGES,
        "training": training(),
        "field": field(FIELDS["spots"]),
    }


def constants() -> Plain:
    """CartPole's."""
    return {
        "gravity": cartpole.GRAVITY,
        "massPole": cartpole.MASS_POLE,
        "mass": cartpole.MASS,
        "halfLength": cartpole.HALF_LENGTH,
        "force": cartpole.FORCE,
        "seconds": cartpole.SECONDS,
        "positionLimit": cartpole.POSITION_LIMIT,
        "angleLimit": cartpole.ANGLE_LIMIT,
        "timeLimit": cartpole.TIME_LIMIT,
        "threshold": cartpole.THRESHOLD,
    }


def training() -> Plain:
    """The settings of the runs that the page trains, under our preset `tuned`; infinity is None."""
    ppo, cell, blend = PRESETS["tuned"], ReactionDiffusion(), Blend()
    return {
        "ppo": {name: _finite(value) for name, value in to_dict(ppo).items()},
        "cell": to_dict(cell),
        "blend": blend.kind,
        "weight": blend.weight,
        "updates": RUN["steps"] // ppo.batch,
        "annealingUpdates": RUN["anneal_steps"] // ppo.batch,
        "interval": RUN["evaluate_every"] // ppo.batch,
    }


def field(equation: GiererMeinhardtEquation) -> Plain:
    """The equation's settings and state at rest, grid and step, and the strengths at which linear theory ends patterns."""
    return {
        "equation": to_dict(equation),
        "rest": [float(u) for u in steady_state(equation)],
        "grid": GRID,
        "dt": STEP,
        "map": {
            "ratios": [round(float(ratio), 4) for ratio in RATIOS],
            "saturations": [round(float(saturation), 4) for saturation in SATURATIONS],
            "strengths": boundary(equation).round(6).tolist(),
        },
    }


def boundary(equation: GiererMeinhardtEquation) -> np.ndarray:
    """The critical strength for each saturation (rows) and each ratio of diffusivities (columns)."""
    slow = equation.activator_diffusion

    def one(saturation: jax.Array, ratio: jax.Array) -> jax.Array:
        values = to_dict(equation) | {"saturation": saturation, "inhibitor_diffusion": ratio * slow}
        return critical_strength(GiererMeinhardtEquation(**values))

    over_ratios = jax.vmap(one, in_axes=(None, 0))
    found = jax.jit(jax.vmap(over_ratios, in_axes=(0, None)))(jnp.asarray(SATURATIONS), jnp.asarray(RATIOS))
    return np.asarray(found, float)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
