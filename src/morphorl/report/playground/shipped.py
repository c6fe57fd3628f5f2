"""Write what comes along: the agents of a study, and the map of where the field forms patterns.

morphorl run playground
python -m morphorl.report.playground.shipped runs/playground
"""

import json
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, GiererMeinhardtEquation
from morphorl.dynamics.pde.linear_theory import critical_strength, steady_state
from morphorl.report.html_data import Plain
from morphorl.report.playground.agents import plain, staged
from morphorl.report.playground.playground_data import SHIPPED_AGENTS, SHIPPED_MAP

CHOSEN = {
    ("CartPole-v1", "cell, γ = 0.1"): "cell, γ = 0.1",
    ("CartPole-v1", "plain PPO"): "plain PPO",
    ("StatelessCartPole-v1", "leaky integrators"): "leaky integrators",
}
"""Environment and arm of the agents that come along, and what the page calls them."""
RATIOS, SATURATIONS = np.geomspace(8.0, 120.0, 25).round(4), np.linspace(0.0, 0.5, 11).round(4)
"""D_h/D_a and κ at which the map's boundary is computed."""


def agents(folder: Path) -> list[Plain]:
    """The agents that come along, in the order of `CHOSEN`, from the study's folder."""
    found = {}
    for one in staged(folder):
        label = CHOSEN.get((one.settings.environment, one.label.partition(" (")[0]))
        if label is not None:
            found[label, one.stage] = plain(one._replace(label=label))
    order = list(CHOSEN.values())
    return [found[key] for key in sorted(found, key=lambda key: order.index(key[0]))]


def field_map(equation: GiererMeinhardtEquation) -> Plain:
    """The field's state at rest, and for each κ and D_h/D_a the guidance at which linear theory ends patterns."""
    strengths = boundary(equation, jnp.asarray(SATURATIONS), jnp.asarray(RATIOS))
    return {
        "rest": [float(u) for u in steady_state(equation)],
        "map": {
            "ratios": RATIOS.tolist(),
            "saturations": SATURATIONS.tolist(),
            "strengths": np.asarray(strengths, float).round(6).tolist(),
        },
    }


def boundary(
    equation: GiererMeinhardtEquation, saturations: Float[Array, " rows"], ratios: Float[Array, " columns"]
) -> Float[Array, "rows columns"]:
    """The critical strength for each saturation and each ratio of diffusivities."""
    slow = equation.activator_diffusion

    def one(saturation: Float[Array, ""], ratio: Float[Array, ""]) -> Float[Array, ""]:
        changed = (saturation, ratio * slow)
        return critical_strength(eqx.tree_at(lambda e: (e.saturation, e.inhibitor_diffusion), equation, changed))

    over_ratios = jax.vmap(one, in_axes=(None, 0))
    return jax.jit(jax.vmap(over_ratios, in_axes=(0, None)))(saturations, ratios)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(SHIPPED_AGENTS, agents(Path(sys.argv[1])))
    _write(SHIPPED_MAP, field_map(PRESETS["spots"]))
