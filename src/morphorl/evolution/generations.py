"""A search over whole training runs: every generation is a study of its own, whose results tell the next one.

Nothing of the search is kept but the runs: after an interruption it is replayed from its beginning, takes what the
finished generations' folders hold, and arrives where it was. So it goes on exactly as if nothing had happened.

Each generation has fresh tuning seeds, common to all of its candidates (common random numbers: they differ in their
settings and not in their luck), to the distribution's mean and to the start. With the same few seeds in every
generation the search would learn those seeds by heart. The price is that only differences within a generation mean
anything, and so the start runs along.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from rich.console import Console

from morphorl.analysis import curve_statistics
from morphorl.config.errors import StoreError
from morphorl.config.files import finite_or_none, refuse_links_out, write_atomically, write_json
from morphorl.config.plain import to_dict
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.environments import registry
from morphorl.evolution import cma_es, search_space
from morphorl.evolution.search_space import Search, changed
from morphorl.ppo.settings import Settings
from morphorl.studies import arms, results, time_estimate
from morphorl.studies import run as run_
from morphorl.studies.lock import locked
from morphorl.studies.runner import run
from morphorl.studies.store import Store, first_difference
from morphorl.studies.study import Study

START, MEAN = "start", "mean"


class Outcome(NamedTuple):
    """A search at its end."""

    winner: dict[str, float]
    """The settings found, by dotted name."""
    start: dict[str, float]
    history: list[dict[str, Any]]
    failed: int
    """Runs that failed, after which the search could not go on."""


def evolve_arm(search: Search, study: Study, root: Path, console: Console, *, resume: bool = True) -> Outcome:
    """Search, generation by generation, from where the folder stands; write what came out into it.

    `history.json` has every candidate with its fitness, `evolved.toml` the study with the winner as one more arm.

    Raises:
        StoreError: if the folder holds something else, is in use, or cannot be written.
        KeyboardInterrupt: on Ctrl-C; the batches finished before it are kept.
    """
    start = search_space.start(search, study)
    strategy = cma_es.begin(search.place(start), search.population, search.first_seed)
    pace = Pace(search.generations)
    history: list[dict[str, Any]] = []
    _refuse_another(root, _identity(search, study, start))
    with locked(root):
        refuse_links_out(root)
        write_sealed_json(root / "search.json", _identity(search, study, start))
        for number in range(search.generations):
            places = cma_es.ask(strategy)
            middle = search.values(cma_es.mean(strategy)) if number else {}
            candidates = [search.values(place) for place in places]
            generation = generation_study(search, study, start, number, [middle, *candidates])
            failed = pace.timed(lambda g=generation, n=number: _train(g, _folder(root, n), console, resume))
            if failed:
                return Outcome({}, _start_values(search, start), history, failed)
            fitness = _fitness(search, generation, _folder(root, number))
            cost = np.array([fitness[_label(i)] for i in range(search.population)])
            strategy = cma_es.tell(strategy, cost if search.smaller_is_better else -cost)
            history.append(_note(search, number, fitness, candidates, middle, cma_es.step_size(strategy)))
            write_json(root / "history.json", {"fitness": search.fitness, "generations": history})
            console.print(_line(search, history, pace), soft_wrap=True)
        winner = search.values(cma_es.mean(strategy))
        text = evolved_file(search, study, winner)
        write_atomically(root / f"{search_space.EVOLVED}.toml", lambda path: path.write_text(text))
    return Outcome(winner, _start_values(search, start), history, 0)


def evolved_file(search: Search, study: Study, winner: Mapping[str, float]) -> str:
    """The study with the winner beside the start, on its own seeds, as a study file."""
    last = search.seeds_of(search.generations) - 1
    text = results.to_toml(search_space.with_winner(search, study, winner))
    assert text is not None, "a study that came from a file can be written to one"
    return (
        f"# Does what evolution found beat the arm that it started from, {json.dumps(search.arm)}, on seeds that it "
        f"never saw?\n# Found in {search.generations} generations of {search.population} candidates by their "
        f"{search.fitness} on the tuning seeds {search.first_seed} to {last}.\n\n{text}"
    )


class Pace:
    """How long the generations took that were trained here, and so how long the others will take."""

    def __init__(self, generations: int) -> None:
        self.generations = generations
        self.seconds: list[float] = []

    def timed(self, train: Callable[[], int | None]) -> int:
        """Train a generation; the time of one that was finished before (None) tells nothing."""
        began = time.perf_counter()
        failed = train()
        if failed is not None:
            self.seconds.append(time.perf_counter() - began)
        return failed or 0

    def left(self, done: int) -> str:
        """The time left in words."""
        if done == self.generations:
            return "done"
        if not self.seconds:
            return "time left not known yet"
        recent = self.seconds[1:] or self.seconds  # the first one compiles
        return f"about {time_estimate.duration((self.generations - done) * sum(recent) / len(recent))} left"


def generation_study(
    search: Search, study: Study, start: Settings, number: int, values: list[dict[str, float]]
) -> Study:
    """One generation as a study: the start, the distribution's mean, and the candidates."""
    labels = [MEAN, *map(_label, range(search.population))]
    found = {label: changed(start, value) for label, value in zip(labels, values, strict=True)}
    return Study(
        study.name,
        study.environments,
        {START: start, **found},
        search.seeds,
        search.seeds_of(number),
        presets=study.presets,
        kernel=start.kernel,
    )


def _train(generation: Study, folder: Path, console: Console, resume: bool) -> int | None:
    """Train what is missing; None if nothing was."""
    store = Store(folder)
    if resume and folder.exists():
        store.check(generation)
        if {one.id for one in generation.iterate()} <= store.finished():
            return None
    return run(generation, store, console, resume=resume, together=True, replays=False)


def _fitness(search: Search, generation: Study, folder: Path) -> dict[str, float]:
    """The fitness of every arm of a generation."""
    curves = Store(folder).curves(generation)
    threshold = registry.make_env(generation.environments[0]).threshold
    return {str(arm): fitness(search, rows, threshold) for (arm,), rows in curves.group_by("arm")}


def fitness(search: Search, curves: pl.DataFrame, threshold: float | None) -> float:
    """The search's statistic of one arm, summarised over its seeds as in every summary.

    Steps to the threshold are the exception: their median is infinite as soon as half of the runs fail, and ranks
    nothing any more. Here it is the mean over seeds of the steps within the training (the restricted mean), a run that
    never gets there counting with the whole of it.
    """
    scores = curve_statistics.measure(curves, threshold)[search.fitness]
    if search.smaller_is_better:
        return float(np.minimum(scores, float(curves["env_steps"].to_numpy().max())).mean())
    return float(curve_statistics.STATISTICS[search.fitness].over_seeds(scores))


def _note(
    search: Search,
    number: int,
    fitness: Mapping[str, float],
    candidates: list[dict[str, float]],
    middle: dict[str, float],
    step_size: float,
) -> dict[str, Any]:
    """One generation as plain values, ready for JSON."""
    of_candidates = [fitness[_label(i)] for i in range(search.population)]
    known = [value for value in of_candidates if math.isfinite(value)]
    best = (min if search.smaller_is_better else max)(known, default=math.nan)
    return {
        "generation": number,
        "first_seed": search.seeds_of(number),
        "seeds": search.seeds,
        "start": finite_or_none(fitness[START]),
        "mean": finite_or_none(fitness[MEAN]),
        "mean_values": middle,
        "best": finite_or_none(best),
        "average": finite_or_none(sum(known) / len(known) if known else math.nan),
        "step_size_after": step_size,
        "candidates": [
            {"fitness": finite_or_none(value), "values": values}
            for value, values in zip(of_candidates, candidates, strict=True)
        ],
    }


def _line(search: Search, history: list[dict[str, Any]], pace: Pace) -> str:
    now = history[-1]
    best, average, middle, start = (_spoken(now[name]) for name in ("best", "average", "mean", "start"))
    return (
        f"generation {len(history)} of {search.generations}: {search.fitness} of the best candidate {best}, of all on "
        f"average {average}, of the distribution's mean {middle}, of the start {start}; {pace.left(len(history))}"
    )


def _identity(search: Search, study: Study, start: Settings) -> dict[str, Any]:
    """What must stay the same for a folder to go on; more generations may be added."""
    return {
        "name": study.name,
        "algorithm": run_.ALGORITHM_VERSION,
        "preset": study.presets[0],
        "start": to_dict(start),
        "evolve": {
            "fitness": search.fitness,
            "population": search.population,
            "seeds": search.seeds,
            "first_seed": search.first_seed,
            "search": {name: axis._asdict() for name, axis in search.search.items()},
        },
    }


def _refuse_another(root: Path, identity: dict[str, Any]) -> None:
    """Refuse a folder that holds something else; nothing in it is touched."""
    if root.exists() and not root.is_dir():
        raise StoreError(f"out = {str(root)!r}: is a file; must be a new or empty folder, or one of this search.")
    held = {path.name for path in root.iterdir()} if root.exists() else set()
    if not {name for name in held if name != "lock" and not name.startswith(".search.json.")}:
        return
    try:
        there = read_sealed_json(root / "search.json")
    except OSError as error:
        raise StoreError(
            f"out = {str(root)!r}: holds other files and no search.json; must be a new or empty folder. Nothing in it "
            "was touched."
        ) from error
    there["start"] = {"kernel": "xla"} | there["start"]  # searches are older than its alternative
    if there != json.loads(json.dumps(identity)):
        raise StoreError(
            f"out = {str(root)!r}: holds another search ({first_difference(identity, there)}); must be a new or empty "
            "folder, or one of this search. Nothing in it was touched: choose another --out, or move it away."
        )


def _start_values(search: Search, start: Settings) -> dict[str, float]:
    flat = arms.flatten(search_space.without_shared(start))
    return {name: flat[name] for name in search.search}


def _folder(root: Path, number: int) -> Path:
    return root / f"generation_{number:03d}"


def _label(candidate: int) -> str:
    return f"candidate {candidate + 1}"


def _spoken(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
