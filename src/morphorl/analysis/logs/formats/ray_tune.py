"""Ray Tune's and RLlib's trials: `result.json` (a line of JSON for each iteration) or `progress.csv`.

`progress.csv` has the columns of its first row alone, so that `result.json` is read where a trial has both.
`params.json` beside them says environment and seed.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from morphorl.analysis.logs import tables
from morphorl.analysis.logs.finding import refuse_large
from morphorl.analysis.logs.log import Asked, Kind, Log, points
from morphorl.config.errors import SettingError, StoreError

NAME = "Ray Tune's trial"
WHAT = "progress.csv or result.json of Ray Tune and RLlib"
RANK = 1

STEPS = (
    "num_env_steps_sampled_lifetime",
    "env_runners/num_env_steps_sampled_lifetime",
    "num_env_steps_sampled",
    "timesteps_total",
    "training_iteration",
)
"""Columns that count steps, the first that is there; iterations where nothing else is counted."""
RETURNS: dict[str, Kind] = {
    "env_runners/episode_return_mean": "training",
    "sampler_results/episode_reward_mean": "training",
    "episode_reward_mean": "training",
    "episode_return_mean": "training",
    "evaluation/env_runners/episode_return_mean": "evaluation",
    "evaluation/episode_reward_mean": "evaluation",
}


def claims(path: Path, head: bytes) -> bool:
    """By the names that Tune gives, but for a `progress.csv` that is somebody else's."""
    if path.name == "progress.csv":
        return b"rollout/ep_rew_mean" not in head and b"time/total_timesteps" not in head
    return path.name == "result.json" and head.startswith(b"{")


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """The rows of a trial, of training and of evaluations apart."""
    path = min(paths, key=lambda one: one.name != "result.json")
    columns = _json_lines(path) if path.name == "result.json" else _csv(path)
    step = next((name for name in STEPS if name in columns), None)
    found: dict[Kind, str] = {}
    wanted: dict[str, Kind] = {asked.tag: "training"} if asked.tag else RETURNS
    for name, kind in wanted.items():
        if name in columns:
            found.setdefault(kind, name)
    if step is None or not found:
        raise SettingError(
            f"{path}: has none of {', '.join(STEPS[:3])}, or none of {', '.join(list(RETURNS)[:3])}; it has "
            f"{tables.shortened_list(list(columns))}. --tag names the return."
        )
    for kind, name in found.items():
        yield Log(
            path,
            "",
            kind,
            _params(path.with_name("params.json")),
            points(columns[step], columns[name]),
            f"{name} over {step}",
        )


def _json_lines(path: Path) -> dict[str, list[float | None]]:
    """The numbers of every line by their names joined with `/`."""
    refuse_large(path)
    rows: list[dict[str, float]] = []
    with path.open("rb") as file:
        for i, line in enumerate(file):
            try:
                rows.append(_flat(json.loads(line)))
            except (ValueError, RecursionError) as error:
                if line.endswith(b"\n"):
                    raise StoreError(f"{path}: line {i + 1} is no JSON ({error}).") from error
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _flat(values: object, prefix: str = "") -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise ValueError("is no object")
    flat: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[f"{prefix}{name}"] = float(value)
    return flat


def _csv(path: Path) -> dict[str, list[float | None]]:
    wanted = [name for name in tables.columns(path) if name in STEPS or name in RETURNS]
    rows = tables.read(path, wanted)
    return {name: rows[name].to_list() for name in wanted}


def _params(path: Path) -> dict[str, str]:
    """Environment and seed as the trial's settings say them."""
    try:
        params = json.loads(path.read_bytes()) if path.is_file() and path.stat().st_size < 10_000_000 else {}
    except (ValueError, RecursionError, OSError):
        return {}
    if not isinstance(params, Mapping):
        return {}
    labels = {"env": params.get("env"), "seed": params.get("seed")}
    return {name: str(value) for name, value in labels.items() if isinstance(value, str | int) and str(value)}
