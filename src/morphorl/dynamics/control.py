"""Controls: what may stand in the cell's place, or beside it, to explain an effect of the cell away."""

from typing import Literal

import equinox as eqx

from morphorl.config.fields import CORRELATION, FINITE, FRACTION, NOT_NEGATIVE, Allowed, check, setting

COLOUR = Allowed("a number from 0 to 2", lambda value: 0 <= value <= 2)

IN_PLACE_OF_CELL = ("noise", "coloured", "state_dependent", "reservoir")
"""The controls that give a readout of their own; with the others there is a cell."""


class Control(eqx.Module):
    """Which rival of the cell an agent has, and the rival's numbers.

    Two rivals need no control, being cells themselves: a readout of zeros (`cell.initial_scale = 0`), and a frozen
    random pattern (`cell.dt = 0`; one per run, or one per episode with `cell.reset = "redraw"`). Each control keeps one
    property of the cell and lacks the others, so that an effect which it shares needs no dynamics to be explained:

    - `sign`: the cell (a frozen one, say), its whole readout multiplied by a fresh fair sign at every step. It keeps
      the size of every readout and its dependence on the observation; nothing persists from step to step.
    - `noise`: correlated noise on the logits with a variance and an autocorrelation to choose (`correlated_noise.py`),
      such as the cell's (`morphorl readouts` measures them). It persists, and knows nothing of the observation.
    - `coloured`: noise on the logits with a spectrum of 1/f^β (`coloured_noise.py`). It persists on all time scales
      at once.
    - `state_dependent`: a random linear readout of the policy's own last hidden layer (`state_dependent_noise.py`),
      which is gSDE on logits. It persists and knows the observation; its size follows the network's, and nothing in
      it moves.
    - `reservoir`: an echo-state network with as many state variables as the cell (`echo_state.py`): random dynamics
      that see the observation, without reaction and diffusion.
    - `sticky`: no readout of its own; the environment repeats the previous action with probability `repeat`
      (`wrappers.py`). Persistent exploration without any state in the agent.

    What stands in place of the cell (`IN_PLACE_OF_CELL`) is blended and reset as the cell would be (`blend`,
    `cell.reset`, `cell.redraw`), and a reservoir sees the observation as it would (`cell.normalise`). So noise starts
    from its stationary distribution, and state-dependent exploration with fresh weights, at each episode's start where
    `cell.reset` = redraw, and else once a run.
    """

    kind: Literal["none", "sign", "noise", "coloured", "state_dependent", "reservoir", "sticky"] = setting(
        "none", static=True
    )
    """Which control; `none`: the cell as it is."""
    deviation: float = setting(1.0, NOT_NEGATIVE)
    """Standard deviation σ of the noise, in units of the logits; for `reservoir` and `state_dependent`, that of the
    readout of units at ±1."""
    autocorrelation: float = setting(0.9, CORRELATION)
    """Correlation of the noise between two environment steps (`noise`)."""
    colour: float = setting(1.0, COLOUR)
    """β of the spectrum 1/f^β of `coloured` noise: 0 is white, 1 pink, 2 red."""
    spectral_radius: float = setting(0.9, NOT_NEGATIVE)
    """Modulus of the eigenvalues of the reservoir's recurrent weights."""
    input_scale: float = setting(1.0, FINITE)
    """Standard deviation of the reservoir's input weights."""
    repeat: float = setting(0.25, FRACTION)
    """Probability with which a sticky environment repeats the previous action (Machado et al., 2018, use 0.25)."""

    def __check_init__(self) -> None:
        check(self, "control")
