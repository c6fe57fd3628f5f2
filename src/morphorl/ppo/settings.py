"""Everything that one run depends on, beside its seed: one definition for Python, study files and the command line."""

import dataclasses
import functools
import hashlib
import json
import weakref
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp

from morphorl.config import kinds
from morphorl.config.errors import SettingError
from morphorl.config.fields import (
    BOUND,
    COUNT,
    COUNT_OR_ZERO,
    FINITE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    WIDTHS,
    check,
    setting,
)
from morphorl.config.plain import unusual
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.none import NoDynamics
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.base import is_host, module_of
from morphorl.environments.wrappers import Task
from morphorl.ppo.kernels import Kernel


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
    """Parts that each pass is cut into; must divide num_envs × rollout_steps (num_envs for `gru` and `lru`)."""
    hidden: tuple[int, ...] = setting((64, 64), WIDTHS, static=True)
    """Widths of the hidden layers, the same for policy and value network."""
    network: Literal["mlp", "gru", "lru", "cnn"] = setting("mlp", static=True)
    """`mlp`: two plain networks. `gru`, `lru`: their first hidden layer is one recurrent unit, gated or linear, trained
    through time. `cnn`: before their first layer, each has a convolution of 3 × 3 places, for environments that show a
    picture."""
    filters: int = setting(16, COUNT, static=True)
    """Filters of the convolution, where the network is `cnn`."""
    skip: bool = setting(False, static=True)
    """Whether the policy has a linear path from its input to its logits beside the network, which starts at 0."""
    reset_every: int = setting(0, COUNT_OR_ZERO, static=True)
    """Environment steps after which the last layers of both networks are drawn anew (0: never; `resets.py`)."""
    activation: Literal["tanh", "relu"] = setting("tanh", static=True)
    """The hidden layers' activation."""
    normalise_observations: bool = setting(False, static=True)
    """Whether the networks see observations shifted and scaled by their running mean and deviation."""
    normalise_rewards: bool = setting(False, static=True)
    """Whether PPO learns from rewards divided by the running deviation of their discounted sums."""
    log_deviation: float = setting(0.0, FINITE)
    """Of continuous actions: log σ at the start, in units of the action range (0: σ is half of it). It is learned."""
    squash: bool = setting(False, static=True)
    """Whether tanh squashes continuous actions into their range; if not, they are clipped at its ends."""

    __getattribute__ = object.__getattribute__  # as in `Settings`

    def __check_init__(self) -> None:
        check(self, "ppo")
        if isinstance(self.minibatches, int) and self.batch % self.minibatches:
            raise SettingError(
                f"ppo.minibatches = {self.minibatches}: must divide the batch of {self.batch} samples "
                f"(ppo.num_envs {self.num_envs} × ppo.rollout_steps {self.rollout_steps})."
            )
        if self.is_recurrent and self.num_envs % self.minibatches:
            raise SettingError(
                f"ppo.minibatches = {self.minibatches}: must divide the {self.num_envs} environments (ppo.num_envs) "
                f"where ppo.network is {self.network!r}, whose minibatches are whole sequences."
            )

    @property
    def is_recurrent(self) -> bool:
        """Whether the networks share a recurrent unit (`recurrent.py`)."""
        return self.network in ("gru", "lru")

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
    "continuous": PPO(
        learning_rate=1e-3,
        value_clip=float("inf"),
        entropy_coefficient=0.0,
        num_envs=8,
        epochs=10,
        minibatches=8,
        normalise_observations=True,
        normalise_rewards=True,
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
"""`standard`: CleanRL's published settings for CartPole. `tuned`: found by us on tuning seeds (docs/method.md).
`continuous`: the same for continuous actions (docs/plans/2026-11-28-tasks.md). `sb3`: what Stable-Baselines3 does where
nothing is said, one environment of 2,048 steps."""


_digests: dict[int, str] = {}
"""Digests of the settings that are alive, by identity: a million runs share a thousand settings. (An attribute of the
module would become part of its structure as a pytree.)"""


class Settings(eqx.Module):
    """One run: which environment, how long, and the agent that learns in it."""

    environment: str = setting("CartPole-v1", static=True)
    """A gymnax id, one of ours (such as TMaze-10 or popgym-RepeatFirstEasy-v0), `MODULE:NAME` for one in JAX of your
    own, or `gym:` and an id of Gymnasium's."""
    steps: int = setting(100_000, COUNT, static=True)
    """Environment steps of training, over all parallel environments; rounded down to whole updates."""
    evaluate_every: int = setting(2_000, COUNT_OR_ZERO, static=True)
    """Environment steps between two greedy evaluations, rounded up to whole updates (0: never)."""
    evaluation_episodes: int = setting(8, COUNT, static=True)
    """Episodes of each such evaluation."""
    ppo: PPO = dataclasses.field(default_factory=PPO)
    dynamics: Dynamics = dataclasses.field(default_factory=ReactionDiffusion)
    """The system beside the policy, whose readout is blended into the logits."""
    guidance: Guidance = dataclasses.field(default_factory=Blind)
    blend: Blend = dataclasses.field(default_factory=Blend)
    memory: Dynamics = dataclasses.field(default_factory=NoDynamics)
    """The system that shows the networks what it holds of the past."""
    task: Task = dataclasses.field(default_factory=Task)
    kernel: Kernel = setting("xla", static=True)
    """What computes the learning phase: `xla`, or `fused`, where it knows the networks (`ppo/kernels.py`)."""
    learned: Learned = dataclasses.field(default_factory=Learned)

    __getattribute__ = object.__getattribute__
    """Plain reads. Equinox's are ten times slower, for the sake of methods that become arguments of programs."""

    def __check_init__(self) -> None:
        from morphorl.ppo.compatibility import check_together  # which needs this module

        check(self, "")
        check_together(self)

    @property
    def digest(self) -> str:
        """A hash of all values that are not the default: settings with the same digest are the same.

        A setting that a later version adds, with a default that changes nothing, leaves the digest and stored runs
        valid. A changed default needs a new `ALGORITHM_VERSION` (`studies/run.py`); a test guards that.
        """
        known = _digests.get(id(self))
        if known is None:
            told = unusual(self, usual()) | sources_of(self.environment)
            known = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
            _digests[id(self)] = known
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
        return min(-(-self.evaluate_every // self.ppo.batch), self.updates + 1)  # which a program's numbers can hold


def sources_of(environment: str) -> dict[str, str]:
    """The hash of the file of an environment in JAX of the user's own, by its id; nothing for any other."""
    if is_host(environment) or module_of(environment) is None:
        return {}
    from morphorl.environments import foreign  # imports gymnax, which takes seconds that planning can do without

    return foreign.sources(environment)


def foreign_sources(settings: Settings) -> dict[str, str]:
    """The hashes of what is foreign in a run: its dynamics', its guidance's and its environment's files, by name."""
    return kinds.foreign_sources(settings) | sources_of(settings.environment)


def refuse_unimportable(settings: Settings) -> None:
    """Raise `SettingError` if a class or an environment is one that no other process can import by its name."""
    kinds.refuse_unimportable(settings)
    if module_of(settings.environment) == "__main__":
        raise SettingError(
            f"environment = {settings.environment!r}: must be one that can be imported by that name, for what is saved "
            "with it to be read again; put it in a file of its own, such as my_lab.py."
        )


@functools.cache
def usual() -> Settings:
    """The settings where nothing is said."""
    return Settings()


def with_tables(settings: Settings, tables: dict[str, eqx.Module]) -> Settings:
    """Settings with other tables in place of their own, checked together: `dataclasses.replace`, many times faster.

    Args:
        settings: checked, all of them.
        tables: checked, each on its own.

    Raises:
        SettingError: if tables do not go together.
    """
    from morphorl.ppo.compatibility import check_together  # which needs this module

    _, structure = jax.tree.flatten(settings, is_leaf=lambda node: node is not settings)
    names = [field.name for field in dataclasses.fields(settings) if not field.metadata.get("static")]
    made = jax.tree.unflatten(structure, [tables.get(name, getattr(settings, name)) for name in names])
    check_together(made)
    return made


def stack(settings: list[Settings]) -> Settings:
    """Settings of one program with a leading axis of runs on every array-valued one."""
    return jax.tree.map(lambda *leaves: jnp.array(leaves, jnp.float32), *settings)
