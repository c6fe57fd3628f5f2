"""Controls: what may stand in the cell's place, or beside it, to explain an effect of the cell away."""

from typing import Literal

import equinox as eqx

from morphorl.checks import CORRELATION, FINITE, FRACTION, NOT_NEGATIVE, check, setting


class Control(eqx.Module):
    """Which rival of the cell an agent has, and the rival's numbers.

    Two rivals need no control, being cells themselves: a readout of zeros (`cell.initial_scale = 0`), and a frozen
    random pattern (`cell.dt = 0`; one per run, or one per episode with `cell.reset = "redraw"`). Each control keeps one
    property of the cell and lacks the others, so that an effect which it shares needs no dynamics to be explained:

    - `sign`: the cell (a frozen one, say), its whole readout multiplied by a fresh fair sign at every step. It keeps
      the size of every readout and its dependence on the observation; nothing persists from step to step.
    - `noise`: correlated noise on the logits with a variance and an autocorrelation to choose (`noise.py`), such as
      the cell's (`morphorl readouts` measures them). It persists, and knows nothing of the observation.
    - `reservoir`: an echo-state network with as many state variables as the cell (`reservoir.py`): random dynamics
      that see the observation, without reaction and diffusion.
    - `sticky`: no readout of its own; the environment repeats the previous action with probability `repeat`
      (`sticky.py`). Persistent exploration without any state in the agent.

    In place of the cell, `noise` and `reservoir` are blended and reset as the cell would be (`blend`, `cell.reset`),
    and see the observation as it would (`cell.normalise`).
    """

    kind: Literal["none", "sign", "noise", "reservoir", "sticky"] = setting("none", static=True)
    """Which control; `none`: the cell as it is."""
    deviation: float = setting(1.0, NOT_NEGATIVE)
    """Standard deviation of the noise, in units of the logits; for `reservoir`, that of the readout of units at ±1."""
    autocorrelation: float = setting(0.9, CORRELATION)
    """Correlation of the noise between two environment steps."""
    spectral_radius: float = setting(0.9, NOT_NEGATIVE)
    """Modulus of the eigenvalues of the reservoir's recurrent weights."""
    input_scale: float = setting(1.0, FINITE)
    """Standard deviation of the reservoir's input weights."""
    repeat: float = setting(0.25, FRACTION)
    """Probability with which a sticky environment repeats the previous action (Machado et al., 2018, use 0.25)."""

    def __check_init__(self) -> None:
        check(self, "control")
