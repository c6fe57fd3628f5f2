"""The post's agent for Stable-Baselines3: a system's readout blended into the logits of its actor-critic policies.

Needs the extra `sb3` (PyTorch). The system itself runs in `CellObservation`, which appends its readout to the
observation. So the readout is stored in the rollout with the rest, and updates use exactly what was acted on.
"""

from typing import Any

# pyright: reportMissingImports=false
import gymnasium
from gymnasium import spaces

from morphorl.config.errors import SettingError
from morphorl.config.extras import missing
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.gymnasium_wrappers import CellObservation

try:
    import torch
    from stable_baselines3.common.distributions import CategoricalDistribution, DiagGaussianDistribution
    from stable_baselines3.common.policies import ActorCriticPolicy
    from stable_baselines3.common.torch_layers import MlpExtractor
    from torch import nn
except ImportError as error:
    raise ImportError(missing("sb3", "morphorl.integrations.stable_baselines3")) from error


def with_readout(
    env: gymnasium.Env, dynamics: Dynamics | None = None, guidance: Guidance | None = None, **options: Any
) -> CellObservation:
    """An environment whose observations end with the readout of a system: what `BlendedPolicy` expects.

    Without `dynamics`, they are the post's, `ReactionDiffusion()`. `options` are those of `CellObservation`.
    """
    chosen = ReactionDiffusion() if dynamics is None else dynamics
    return CellObservation(env, chosen, append="readout", guidance=guidance, **options)


class BlendedPolicy(ActorCriticPolicy):
    """An actor-critic policy whose logits are z blended with the readout o that ends the observation.

        [x, o] = observation,   logits = (1 − β)·z(x) + β·o   (or z(x) + β·o, as `Blend` says)

    For continuous actions the mean takes the logits' place. Networks see x alone. The numbers are those of
    `morphorl.ppo.agent.policy_step`: a test compares them.

    Args:
        blend: how, and with which weight; the post's weighted average, β = 0.3, if not given.
        others: those of `ActorCriticPolicy`.

    Example:
        >>> model = PPO(BlendedPolicy, with_readout(gymnasium.make("CartPole-v1"), guidance=Blind(strength=0.1)))

    Source: the post's section "Integration with PPO".
    """

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Space, *args: Any, blend: Blend | None = None, **kw
    ):
        self.blend = Blend() if blend is None else blend
        self.outputs = _outputs(action_space)
        if self.blend.kind not in ("none", "average", "add"):
            raise SettingError(f"blend.kind = {str(self.blend.kind)!r}: must be one of 'none', 'average', 'add'.")
        if observation_space.shape is None or len(observation_space.shape) != 1:
            raise SettingError(f"observation space = {observation_space}: must be that of `with_readout(env)`.")
        if observation_space.shape[0] <= self.outputs:
            raise SettingError(
                f"observation space = {observation_space}: must hold the observation and a readout of {self.outputs} "
                "numbers; wrap the environment in `with_readout`."
            )
        super().__init__(observation_space, action_space, *args, **kw)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"blend": self.blend}

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = _Extractor(self.features_dim, self.outputs, self.net_arch, self.activation_fn, self.device)

    def _build(self, lr_schedule: Any) -> None:
        if isinstance(self.action_dist, CategoricalDistribution):
            self.action_dist = _Categorical(self.outputs, self.blend)
        else:
            self.action_dist = _Gaussian(self.outputs, self.blend)
        super()._build(lr_schedule)


class _Extractor(MlpExtractor):
    """Networks that see x alone; the actor's features are followed by the readout, for the head to blend."""

    def __init__(self, inputs: int, outputs: int, net_arch: Any, activation_fn: Any, device: Any):
        super().__init__(inputs - outputs, net_arch, activation_fn, device)
        self.seen = inputs - outputs
        self.latent_dim_pi += outputs

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        x, readout = features[:, : self.seen], features[:, self.seen :]
        return torch.cat([self.policy_net(x), readout], dim=1)

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        return self.value_net(features[:, : self.seen])


class _Head(nn.Module):
    """The policy's last layer, and the blend."""

    def __init__(self, latent: int, outputs: int, blend: Blend):
        super().__init__()
        self.linear, self.outputs, self.blend = nn.Linear(latent - outputs, outputs), outputs, blend

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        logits = self.linear(latent[:, : -self.outputs])
        weight = self.blend.weight
        shares = {"none": (1.0, 0.0), "average": (1 - weight, weight), "add": (1.0, weight)}
        of_network, of_cell = shares[str(self.blend.kind)]
        return of_network * logits + of_cell * latent[:, -self.outputs :]


class _Categorical(CategoricalDistribution):
    def __init__(self, outputs: int, blend: Blend):
        super().__init__(outputs)
        self.blend = blend

    def proba_distribution_net(self, latent_dim: int) -> nn.Module:
        return _Head(latent_dim, self.action_dim, self.blend)


class _Gaussian(DiagGaussianDistribution):
    def __init__(self, outputs: int, blend: Blend):
        super().__init__(outputs)
        self.blend = blend

    def proba_distribution_net(self, latent_dim: int, log_std_init: float = 0.0) -> tuple[nn.Module, nn.Parameter]:
        deviation = nn.Parameter(torch.ones(self.action_dim) * log_std_init, requires_grad=True)
        return _Head(latent_dim, self.action_dim, self.blend), deviation


def _outputs(space: spaces.Space) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return space.shape[0]
    raise SettingError(f"action space = {space}: must be Discrete or a Box of one dimension.")
