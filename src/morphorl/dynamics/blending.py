"""Blending: how the system's readout joins the policy network's logits."""

from typing import Literal

import equinox as eqx
from jaxtyping import Array, Float

from morphorl.config.choices import choice, choose
from morphorl.config.errors import SettingError
from morphorl.config.fields import FINITE, FRACTION, NOT_NEGATIVE, check, setting


class Blend(eqx.Module):
    """How the readout o ∈ R^K joins the network's logits z ∈ R^K (the post's section "Integration with PPO")."""

    kind: Literal["none", "average", "add"] = choice("average", "average", "add", apart=("none",))
    """`none`: plain PPO, no dynamics at all. `average`: (1 − weight)·z + weight·o. `add`: z + weight·o."""
    weight: float = setting(0.3, FINITE)
    """The readout's weight β (dimensionless)."""
    handover: float = setting(0.0, FRACTION)
    """Share of the training after which the weight is 0 and the network alone in charge; it stays as it is for half of
    that time, then falls linearly (0: no handover)."""
    update: Literal["blended", "network"] = setting("blended", static=True)
    """From what PPO's update computes the probabilities of the actions: from the blend, which acted, or, forgetting the
    readout, from the network alone (a mistake that is easily made; the study `forgetful` asks what it does)."""
    distil: float = setting(0.0, NOT_NEGATIVE, learned="fixed")
    """Coefficient of the cross-entropy that teaches the network alone to act as the blend does (0: off)."""

    def __check_init__(self) -> None:
        check(self, "blend")
        if self.update == "network" and self.kind == "none":
            raise SettingError(
                "blend.update = 'network': must be 'blended' where blend.kind is 'none'; without a readout there is "
                "nothing that the update could forget."
            )
        if self.update == "network" and isinstance(self.distil, int | float) and self.distil:
            raise SettingError(
                f"blend.distil = {self.distil}: must be 0 where blend.update is 'network', whose update knows no blend "
                "to teach the network."
            )

    @property
    def reaches_logits(self) -> bool:
        """Whether any readout reaches the logits; of settings with plain values, outside compiled programs."""
        return self.kind != "none" and bool(self.weight != 0)


def blend(settings: Blend, logits: Float[Array, "..."], readout: Float[Array, "..."]) -> Float[Array, "..."]:
    """Blend network logits z with the system's readout o, two arrays of one shape.

    - `average`: (1 − β)·z + β·o, the post's "weighted average". Note that it also shrinks z by 1 − β: compare it with
      a readout of zeros blended in the same way, not only with plain PPO.
    - `add`: z + β·o.
    - `none`: z.
    """
    kinds = {
        "none": lambda z, o: z,
        "average": lambda z, o: (1 - settings.weight) * z + settings.weight * o,
        "add": lambda z, o: z + settings.weight * o,
    }
    return choose(settings.kind, kinds, logits, readout)
