"""Our environments in Gymnasium's registry, by their ids; without importing Gymnasium before somebody else does.

Gymnasium takes a second to import on a slow machine, and most of morphorl does without it. So `import morphorl` puts
the ids into the registry at once where Gymnasium is there, and else asks Python's import system for word of it.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

IDS = {
    "morphorl/StatelessCartPole-v1": "morphorl.environments.gymnasium_cartpole:GymnasiumStatelessCartPole",
    "morphorl/CartPoleNoVel-v1": "morphorl.environments.gymnasium_cartpole:GymnasiumCartPoleNoVel",
}
"""Each id, and the class that Gymnasium makes for it."""


def register_with_gymnasium() -> None:
    """Register the ids: now if Gymnasium is imported already, else as soon as it is."""
    if "gymnasium" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _WhenImported())


def _register() -> None:
    import gymnasium

    for name, entry in IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry, max_episode_steps=500, reward_threshold=475.0)


class _WhenImported:
    """A finder that finds what the others do, and registers the ids once Gymnasium's own code has run."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "gymnasium":
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((found for found in others if found), None)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            sys.meta_path.remove(self)
            _register()

        spec.loader.exec_module = execute_and_register
        return spec
