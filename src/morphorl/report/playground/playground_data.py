"""What the playground computes with, as plain values ready for JSON: constants, settings, and what comes along."""

import base64
import json
import math
from pathlib import Path

from morphorl.config.plain import to_dict
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS as FIELDS
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import cartpole
from morphorl.ppo.settings import PRESETS
from morphorl.report.html_data import Plain

SHIPPED_AGENTS, SHIPPED_MAP = (Path(__file__).parent / name for name in ("agents.json", "field_map.json"))
"""Agents of the study `playground`, and the field's map: `python -m morphorl.report.playground.shipped` makes both."""
KERNELS = Path(__file__).parent / "kernels.wasm"
"""What the page trains with: `python -m morphorl.report.playground.assemble` makes it from kernels.wat."""
GRID = {"size": 64, "length": 48.0}
"""Of the field: a power of two of sites in each direction."""
STEP = 4.0
"""Of the field, in units of time: a step of first order is then within a hundredth of a long simulation's pattern."""
RUN = {"anneal_steps": 100_000, "evaluate_every": 1_024}
"""Of the page's training, in environment steps: each run is the beginning of one of 100,000."""
LENGTHS = (10_240, 40_960, 98_304)
"""Environment steps of the page's training, to choose from; the second is what it begins with."""
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
        "kernels": base64.b64encode(KERNELS.read_bytes()).decode(),
        "field": field(),
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
        "lengths": [steps // ppo.batch for steps in LENGTHS],
        "annealingUpdates": RUN["anneal_steps"] // ppo.batch,
        "interval": RUN["evaluate_every"] // ppo.batch,
    }


def field() -> Plain:
    """The equation of the spots, grid and step, and the map that comes along (`shipped.field_map`)."""
    known = json.loads(SHIPPED_MAP.read_text(encoding="utf-8"))
    return {"equation": to_dict(FIELDS["spots"]), "grid": GRID, "dt": STEP} | known


def shipped_agents() -> list[Plain]:
    """The agents that come along."""
    return json.loads(SHIPPED_AGENTS.read_text(encoding="utf-8"))


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
