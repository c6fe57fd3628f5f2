"""morphorl: does structured internal dynamics help a reinforcement-learning agent? An instrument to find out.

    from morphorl import ReactionDiffusion, evaluate, train

    trained = train("CartPole-v1", dynamics=ReactionDiffusion(), seeds=16)
    returns = evaluate(trained.agents)

Each name is imported when it is first used, so that `import morphorl` takes no time and starts neither JAX nor
Gymnasium. The environments `morphorl/…` are in Gymnasium's registry as soon as both are imported, in either order.
Names that train or evaluate give JAX one device per core, unless it has started or has been told otherwise.
"""

import importlib
from typing import TYPE_CHECKING, Any

from morphorl.environments.gymnasium_ids import register_with_gymnasium

if TYPE_CHECKING:
    from morphorl.analysis.any_results import compare, load_results, to_rliable
    from morphorl.analysis.finished_study import judge
    from morphorl.dynamics.base import Dynamics
    from morphorl.dynamics.blending import Blend
    from morphorl.dynamics.conformance.systems import check_dynamics
    from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
    from morphorl.dynamics.guidance.base import Guidance
    from morphorl.dynamics.guidance.blind import Blind
    from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
    from morphorl.environments.conformance import check_environment
    from morphorl.environments.foreign import environment_from
    from morphorl.environments.gymnasium_wrappers import CellObservation, VectorCellObservation
    from morphorl.environments.registry import make_env
    from morphorl.ppo.checkpoints import load_agents, save_agents
    from morphorl.ppo.evaluation import evaluate
    from morphorl.ppo.settings import PPO, PRESETS, Settings
    from morphorl.studies.one_setting import train
    from morphorl.studies.runner import run_study
    from morphorl.studies.study import Study

__version__ = "0.2.0"

__all__ = [
    "PPO",
    "PRESETS",
    "Blend",
    "Blind",
    "CellObservation",
    "Dynamics",
    "GiererMeinhardt",
    "Guidance",
    "ReactionDiffusion",
    "Settings",
    "Study",
    "VectorCellObservation",
    "check_dynamics",
    "check_environment",
    "compare",
    "environment_from",
    "evaluate",
    "judge",
    "load_agents",
    "load_results",
    "make_env",
    "run_study",
    "save_agents",
    "to_rliable",
    "train",
]

_MODULES = {
    "Dynamics": "dynamics.base",
    "ReactionDiffusion": "dynamics.reaction_diffusion",
    "GiererMeinhardt": "dynamics.gierer_meinhardt",
    "Guidance": "dynamics.guidance.base",
    "Blind": "dynamics.guidance.blind",
    "Blend": "dynamics.blending",
    "check_dynamics": "dynamics.conformance.systems",
    "Settings": "ppo.settings",
    "PPO": "ppo.settings",
    "PRESETS": "ppo.settings",
    "Study": "studies.study",
    "load_results": "analysis.any_results",
    "compare": "analysis.any_results",
    "to_rliable": "analysis.any_results",
    "CellObservation": "environments.gymnasium_wrappers",
    "VectorCellObservation": "environments.gymnasium_wrappers",
}
"""Where each name is defined."""
_COMPUTING_MODULES = {
    "make_env": "environments.registry",
    "environment_from": "environments.foreign",
    "check_environment": "environments.conformance",
    "train": "studies.one_setting",
    "evaluate": "ppo.evaluation",
    "save_agents": "ppo.checkpoints",
    "load_agents": "ppo.checkpoints",
    "run_study": "studies.runner",
    "judge": "analysis.finished_study",
}
"""The same for those that compute, which starts JAX: how many devices it has must be said before."""


def __getattr__(name: str) -> Any:
    if name in _COMPUTING_MODULES:
        from morphorl.config.devices import use_all_cores_if_free

        use_all_cores_if_free()
    module = (_MODULES | _COMPUTING_MODULES).get(name)
    if module is None:
        raise AttributeError(f"module 'morphorl' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"morphorl.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_with_gymnasium()
