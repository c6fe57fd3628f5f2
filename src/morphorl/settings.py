"""Everything that one run depends on, beside its seed: one definition for Python, study files and the command line."""

import dataclasses
import functools
import hashlib
import json
import typing
import weakref
from typing import Any, Literal

import equinox as eqx

from morphorl.blend import Blend
from morphorl.cell import Cell
from morphorl.checks import (
    BOUND,
    COUNT,
    COUNT_OR_ZERO,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    WIDTHS,
    check,
    hints_of,
    setting,
)
from morphorl.control import Control
from morphorl.errors import SettingError, did_you_mean
from morphorl.field_cell import FieldCell
from morphorl.guidance import Guidance
from morphorl.learned import Learned, check_settings
from morphorl.memory import Memory


class PPO(eqx.Module):
    """Proximal policy optimisation (Schulman et al., 2017); the defaults are the widely published ones (`standard`)."""

    learning_rate: float = setting(2.5e-4, POSITIVE)
    """Adam's step size (at the start, if annealed)."""
    anneal: bool = setting(True, static=True)
    """Whether the learning rate falls linearly to 0 over the run."""
    anneal_steps: int = setting(0, COUNT_OR_ZERO, static=True)
    """Environment steps over which it falls (0: the run's own). With 100,000 here, a run of 20,000 steps is, bit for
    bit, the first fifth of one of 100,000 (but for `blend.handover`, a share of the run's own steps)."""
    discount: float = setting(0.99, FRACTION)
    """PPO's γ, per environment step (not to be confused with the guidance strength)."""
    gae_lambda: float = setting(0.95, FRACTION)
    """λ of generalised advantage estimation."""
    clip: float = setting(0.2, POSITIVE)
    """The probability ratio counts within 1 ± clip."""
    value_clip: float = setting(0.2, BOUND)
    """The value estimate moves at most this far per update (inf: no clipping)."""
    value_coefficient: float = setting(0.5, NOT_NEGATIVE)
    """Weight of the value loss."""
    entropy_coefficient: float = setting(0.01, NOT_NEGATIVE)
    """Weight of the entropy bonus."""
    max_gradient_norm: float = setting(0.5, BOUND)
    """Gradients are scaled down to this global norm (inf: never)."""
    num_envs: int = setting(4, COUNT, static=True)
    """Parallel environments of one run."""
    rollout_steps: int = setting(128, COUNT, static=True)
    """Steps of each environment between two updates."""
    epochs: int = setting(4, COUNT, static=True)
    """Passes over a rollout."""
    minibatches: int = setting(4, COUNT, static=True)
    """Parts that each pass is cut into; must divide num_envs × rollout_steps (num_envs for `gru`)."""
    hidden: tuple[int, ...] = setting((64, 64), WIDTHS, static=True)
    """Widths of the hidden layers, the same for policy and value network."""
    network: Literal["mlp", "gru"] = setting("mlp", static=True)
    """`mlp`: two plain networks. `gru`: their first hidden layer is one recurrent unit, trained through time."""
    skip: bool = setting(False, static=True)
    """Whether the policy has a linear path from its input to its logits beside the network, which starts at 0."""
    activation: Literal["tanh", "relu"] = setting("tanh", static=True)
    """The hidden layers' activation."""
    normalise_observations: bool = setting(False, static=True)
    """Whether the networks see observations shifted and scaled by their running mean and deviation."""

    def __check_init__(self) -> None:
        check(self, "ppo")
        if isinstance(self.minibatches, int) and self.batch % self.minibatches:
            raise SettingError(
                f"ppo.minibatches = {self.minibatches}: must divide the batch of {self.batch} samples "
                f"(ppo.num_envs {self.num_envs} × ppo.rollout_steps {self.rollout_steps})."
            )
        if self.network == "gru" and self.num_envs % self.minibatches:
            raise SettingError(
                f"ppo.minibatches = {self.minibatches}: must divide the {self.num_envs} environments (ppo.num_envs) "
                "where ppo.network is 'gru', whose minibatches are whole sequences."
            )

    @property
    def batch(self) -> int:
        """Environment steps per update, over all parallel environments."""
        return self.num_envs * self.rollout_steps


PRESETS: dict[str, PPO] = {
    "standard": PPO(),
    "tuned": PPO(
        learning_rate=3e-3,
        discount=0.98,
        gae_lambda=0.9,
        value_clip=float("inf"),
        entropy_coefficient=0.0,
        num_envs=8,
        rollout_steps=32,
        epochs=10,
        normalise_observations=True,
    ),
    "sb3": PPO(
        learning_rate=3e-4,
        anneal=False,
        value_clip=float("inf"),
        entropy_coefficient=0.0,
        num_envs=1,
        rollout_steps=2048,
        epochs=10,
        minibatches=32,
    ),
}
"""`standard`: CleanRL's published settings for CartPole. `tuned`: found by us on tuning seeds (docs/method.md). `sb3`:
what Stable-Baselines3 does where nothing is said, one environment of 2,048 steps."""


CARTPOLES = ("CartPole-v1", "StatelessCartPole-v1", "CartPoleNoVel-v1")
"""Environments that are known to exist without asking gymnax."""


_digests: dict[int, str] = {}
"""Digests of the settings that are alive, by identity: a million runs share a thousand settings. (An attribute of the
module would become part of its structure as a pytree.)"""


class Settings(eqx.Module):
    """One run: which environment, how long, and the agent that learns in it."""

    environment: str = setting("CartPole-v1", static=True)
    """A gymnax id with discrete actions, one of ours (`envs.OURS`), or `gym:` and an id of Gymnasium's."""
    steps: int = setting(100_000, COUNT, static=True)
    """Environment steps of training, over all parallel environments; rounded down to whole updates."""
    evaluate_every: int = setting(2_000, COUNT_OR_ZERO, static=True)
    """Environment steps between two greedy evaluations, rounded up to whole updates (0: never)."""
    evaluation_episodes: int = setting(8, COUNT, static=True)
    """Episodes of each such evaluation."""
    ppo: PPO = dataclasses.field(default_factory=PPO)
    cell: Cell = dataclasses.field(default_factory=Cell)
    guidance: Guidance = dataclasses.field(default_factory=Guidance)
    blend: Blend = dataclasses.field(default_factory=Blend)
    control: Control = dataclasses.field(default_factory=Control)
    field: FieldCell = dataclasses.field(default_factory=FieldCell)
    learned: Learned = dataclasses.field(default_factory=Learned)
    memory: Memory = dataclasses.field(default_factory=Memory)

    def __check_init__(self) -> None:
        check(self, "")
        check_settings(self)
        if self.environment not in CARTPOLES:
            from morphorl import envs  # imports gymnax, which takes seconds that planning can do without

            envs.make(self.environment)
        if self.environment.startswith("gym:"):
            from morphorl import host

            host.check(self)
        if self.guidance.knows_reward:
            self._check_reward_reaches_the_cell()
        if self.guidance.kind == "win_stay" and self.cell.reset != "redraw":
            raise SettingError(
                f"cell.reset = {self.cell.reset!r}: must be 'redraw' where guidance.kind is 'win_stay', which draws a "
                "fresh pattern after a bad episode."
            )
        if self.guidance.kind == "win_stay" and isinstance(self.cell.redraw, int | float) and self.cell.redraw:
            raise SettingError(
                f"cell.redraw = {self.cell.redraw}: must be 0 where guidance.kind is 'win_stay', which decides at an "
                "episode's end whether a pattern stays."
            )
        if self.guidance.knows_reward and self.cell.kind == "field":
            raise SettingError(
                f"guidance.kind = {self.guidance.kind!r}: must be 'none', 'blind' or 'adaptive' where cell.kind is "
                "'field'."
            )
        if self.guidance.needs_value and self.ppo.network == "gru":
            raise SettingError(
                f"guidance.kind = {self.guidance.kind!r}: needs the value of single observations, and so ppo.network "
                "'mlp'."
            )
        if 0 < self.ppo.anneal_steps < self.steps:
            raise SettingError(
                f"ppo.anneal_steps = {self.ppo.anneal_steps}: must be 0, or at least the run's steps ({self.steps})."
            )
        if self.steps < self.ppo.batch:
            raise SettingError(
                f"steps = {self.steps}: must be at least one rollout of {self.ppo.batch} environment steps "
                f"(ppo.num_envs {self.ppo.num_envs} × ppo.rollout_steps {self.ppo.rollout_steps})."
            )

    def _check_reward_reaches_the_cell(self) -> None:
        """Raise `SettingError` where guidance that knows the reward could do nothing: it acts on a blended cell."""
        if self.guidance.signal != "td_error" and not self.guidance.needs_value:
            raise SettingError(
                f"guidance.signal = {self.guidance.signal!r}: must be 'td_error' where guidance.kind is "
                f"{self.guidance.kind!r}, which has no use for a TD error."
            )
        if self.guidance.signal == "shuffled" and self.ppo.num_envs == 1:
            raise SettingError(
                "guidance.signal = 'shuffled': must be 'td_error' or 'constant' where ppo.num_envs is 1; without a "
                "neighbour the control would get the signal itself."
            )
        for name, value, allowed in (
            ("blend.kind", self.blend.kind, ("average", "add")),
            ("control.kind", self.control.kind, ("none", "sign", "sticky")),
            ("memory.kind", self.memory.kind, ("none", "previous", "reservoir")),
        ):
            if isinstance(value, str) and value not in allowed:
                raise SettingError(
                    f"{name} = {value!r}: must be one of {', '.join(map(repr, allowed))} where guidance.kind is "
                    f"{self.guidance.kind!r}, whose signal reaches no other cell."
                )

    @property
    def digest(self) -> str:
        """A hash of all values that are not the default: settings with the same digest are the same.

        A setting that a later version adds, with a default that changes nothing, leaves the digest and stored runs
        valid. A changed default needs a new `study.ALGORITHM_VERSION`; a test guards that.
        """
        known = _digests.get(id(self))
        if known is None:
            text = json.dumps(_unusual(to_dict(self), _defaults()), sort_keys=True)
            known = _digests[id(self)] = hashlib.sha256(text.encode()).hexdigest()
            weakref.finalize(self, _digests.pop, id(self))
        return known

    @property
    def updates(self) -> int:
        """Number of PPO updates of the run."""
        return self.steps // self.ppo.batch

    @property
    def annealing_updates(self) -> int:
        """Number of updates over which the learning rate falls to 0."""
        return self.ppo.anneal_steps // self.ppo.batch or self.updates

    @property
    def evaluation_interval(self) -> int:
        """Updates between two greedy evaluations; 0 for none."""
        return -(-self.evaluate_every // self.ppo.batch)


def to_dict(settings: eqx.Module) -> dict[str, Any]:
    """Settings as nested dictionaries of plain values, ready for JSON."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return {name: to_dict(value) if isinstance(value, eqx.Module) else value for name, value in values.items()}


def _unusual(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, in tables as nested as the values are."""
    tables = {name: _unusual(value, usual[name]) for name, value in values.items() if isinstance(value, dict)}
    plain = {name: value for name, value in values.items() if name not in tables and value != usual[name]}
    return plain | {name: table for name, table in tables.items() if table}


@functools.cache
def _defaults() -> dict[str, Any]:
    return to_dict(Settings())


def from_dict[M: eqx.Module](cls: type[M], values: dict[str, Any], prefix: str = "") -> M:
    """The inverse of `to_dict`; what is left out keeps its default. Modules in place of their values are kept.

    Raises:
        SettingError: for a name that does not exist, or a value that is not allowed.
    """
    if not isinstance(values, dict):
        raise SettingError(f"{prefix.rstrip('.') or 'settings'} = {values!r}: must be a table of settings.")
    hints = hints_of(cls)
    for name in values:
        check_name(name, hints, prefix)
    return cls(**{name: _from_plain(hints[name], value, f"{prefix}{name}") for name, value in values.items()})


def check_name(name: str, hints: dict[str, Any], prefix: str) -> None:
    """Raise `SettingError` unless there is a setting of that name; the message offers the nearest."""
    if name not in hints:
        hint = did_you_mean(name, list(hints))
        raise SettingError(f"{prefix}{name}: no such setting; must be one of {', '.join(hints)}.{hint}")


def _from_plain(hint: Any, value: Any, name: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, eqx.Module) and not isinstance(value, hint):
        return from_dict(hint, value, f"{name}.")
    if hint is float and type(value) is int and abs(value) < 2**53:
        return float(value)  # 1 and 1.0 are the same setting, and must be the same run
    return tuple(value) if isinstance(value, list) and typing.get_origin(hint) is tuple else value
