"""Parts that the base installation leaves out: imported when they are asked for, missed in one sentence."""

import importlib
from typing import Any

from morphorl.config.errors import SettingError

EXTRAS = {
    "fast": "numba",
    "ray": "ray",
    "sb3": "stable_baselines3",
    "onnx": "onnxruntime",
    "box2d": "Box2D",
    "mujoco": "mujoco",
    "render": "pygame",
    "tensorboard": "tensorboardX",
    "wandb": "wandb",
    "trackio": "trackio",
    "hub": "huggingface_hub",
}
"""Each extra, and the module that tells whether it is installed."""


class MissingExtraError(SettingError):
    """An extra is not installed; the message says which, and how to get it."""


def need(extra: str, module: str, what: str) -> Any:
    """The module of an extra.

    Raises:
        MissingExtraError: if it is not installed; `what` names the setting that asked for it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(missing(extra, what)) from error


def missing(extra: str, what: str) -> str:
    """The sentence for an extra that is not installed."""
    command = f"pip install 'morphorl[{extra}]' (in a clone: uv sync --inexact --extra {extra})"
    return f"{what}: needs the extra {extra!r}, which is not installed; get it with: {command}."
