"""From paths to runs: files are claimed by formats, logs named, tidied, and put together with their run's others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from morphorl.analysis.logs import finding, pattern, registry
from morphorl.analysis.logs.log import Asked, Kind, Log
from morphorl.analysis.logs.registry import Format
from morphorl.analysis.logs.rules import Tidied, tidy
from morphorl.analysis.logs.suggestion import suggest
from morphorl.config.errors import SettingError, quoted, shortened
from morphorl.config.following import Follow, unseen
from morphorl.studies.labels import refuse_label


class Run(NamedTuple):
    """One run of another program."""

    environment: str
    arm: str
    seed: int
    kinds: Mapping[Kind, Tidied]
    """Its returns in training, or of evaluations, or both."""
    paths: tuple[Path, ...]


class Reading(NamedTuple):
    """The runs below some paths, and how they were understood."""

    runs: list[Run]
    patterns: tuple[str, ...]
    """The patterns by which names were read, one for each format; none where the files say all that is needed."""
    recognised: bool
    """Whether the patterns are some of ours, since none was given."""
    has_seeds: bool
    """Whether seeds were read; if not, runs are numbered, and none is paired with another."""
    sources: dict[str, int]
    """What step and return were taken from, in words, and of how many logs."""
    ignored: int
    """Files that no format reads."""
    suggested: str | None
    """Where every arm has one run, a pattern that would make some of them seeds of one arm, if there is one."""
    passed: dict[str, int]
    """Formats that were left out of folders where another one says the same more exactly, and of how many folders."""


def read(
    paths: Sequence[Path],
    asked: Asked,
    *,
    given: str | None = None,
    format: str | None = None,
    env: str | None = None,
    follow: Follow = unseen,
) -> Reading:
    """All runs below some paths.

    Args:
        given: the pattern by which names are read; recognised if not given.
        format: the name of the format that reads every file that it can; recognised if not given.
        env: the environment of runs that do not say theirs.
        follow: sees the folders as they are read.

    Raises:
        SettingError: if nothing is a log, names cannot be read, or two logs are the same run.
        StoreError: for a file that is damaged, too large or dangerous.
    """
    claimed, ignored = _claim(paths, format, asked)
    if not claimed:
        raise SettingError(_nothing(paths, ignored))
    best: dict[Path, int] = {}
    for kind, folder in claimed:
        best[folder] = min(kind.rank, best.get(folder, kind.rank))
    passed = Counter(kind.name for kind, folder in claimed if kind.rank > best[folder])
    logs: list[tuple[Log, Format]] = []
    for (kind, folder), files in follow(claimed.items(), len(claimed), "reading logs"):
        logs += [(log, kind) for log in kind.read(files, asked)] if kind.rank == best[folder] else []
    logs = _sharing_labels(logs)
    roots = [path if path.is_dir() else path.parent for path in paths]
    names = [_name(log, roots) for log, _ in logs]
    patterns = _patterns(logs, names, given)
    labelled = [
        (_labels(log, name, patterns[log.is_folder, kind.rank], given is not None), log, kind.name)
        for (log, kind), name in zip(logs, names, strict=True)
    ]
    labelled = _with_environment(labelled, env)
    has_seeds = all("seed" in labels for labels, *_ in labelled)
    runs = _together(labelled, has_seeds)
    sources = Counter(f"{kind}: {log.source} ({log.kind})" for _, log, kind in labelled)
    return Reading(
        runs, tuple(dict.fromkeys(filter(None, patterns.values()))), given is None, has_seeds, dict(sources),
        sum(ignored.values()), suggest(names) if given is None and is_lonely(runs) else None, dict(passed),
    )  # fmt: skip


def is_lonely(runs: Sequence[Run]) -> bool:
    """Whether each of three or more arms has one run, as where a pattern takes seeds for arms."""
    return len({(run.environment, run.arm) for run in runs}) == len(runs) > 2


def _sharing_labels(logs: list[tuple[Log, Format]]) -> list[tuple[Log, Format]]:
    """What one log of a folder says of its run holds for the run's other logs there."""
    said: dict[Path, dict[str, str]] = {}
    for log, _ in logs:
        if log.is_folder and not log.name:
            said[log.path.parent] = log.labels | said.get(log.path.parent, {})
    return [
        (log._replace(labels=said[log.path.parent] | log.labels) if log.is_folder and not log.name else log, kind)
        for log, kind in logs
    ]


def _claim(
    paths: Sequence[Path], format: str | None, asked: Asked
) -> tuple[dict[tuple[Format, Path], list[Path]], Counter]:
    """The files that each format reads, folder by folder; and the endings of the others, counted."""
    forced = format or ("long_table" if asked.columns else None)
    reader = registry.named(forced) if forced else None
    claimed: dict[tuple[Format, Path], list[Path]] = {}
    ignored: Counter = Counter()
    for file in dict.fromkeys(file for path in paths for file in finding.files(path)):
        found = registry.of(file, finding.head(file))
        if reader is not None:
            found = reader if reader.claims(file, finding.head(file)) else None
        if found is None:
            ignored[file.suffix or file.name] += 1
        else:
            claimed.setdefault((found, file.parent), []).append(file)
    return claimed, ignored


def _nothing(paths: Sequence[Path], ignored: Counter) -> str:
    there = ", ".join(f"{n} × {ending}" for ending, n in ignored.most_common(5))
    where = ", ".join(quoted(str(path)) for path in paths[:3])
    known = "; ".join(one.what for one in registry.known())
    return f"PATH = {where}: holds no log that morphorl reads ({there or 'no files'}). It reads {known}."


def _name(log: Log, roots: Iterable[Path]) -> str:
    """What a run is called: its folder or file, from the last part of the given path on."""
    place = log.path.parent if log.is_folder else log.path.with_suffix("")
    root = next(root for root in roots if log.path.is_relative_to(root)).resolve()
    parts = [root.name, *place.resolve().relative_to(root).parts, *([log.name] if log.name else [])]
    return "/".join(part for part in parts if part)


def _patterns(
    logs: Sequence[tuple[Log, Format]], names: Sequence[str], given: str | None
) -> dict[tuple[bool, int], str | None]:
    """The pattern of the logs of each kind: whether a folder or a file is a run, and the rank of their formats."""
    found = {}
    for which in dict.fromkeys((log.is_folder, kind.rank) for log, kind in logs):
        own = [i for i, (log, kind) in enumerate(logs) if (log.is_folder, kind.rank) == which]
        found[which] = _pattern([logs[i][0] for i in own], [names[i] for i in own], given)
    return found


def _pattern(logs: Sequence[Log], names: Sequence[str], given: str | None) -> str | None:
    if given is not None:
        for name in names:
            if pattern.match(given, name) is None:
                raise SettingError(f"pattern = {quoted(given)}: does not fit the run {quoted(name)}.{_examples(names)}")
        return given
    wanted = {field for field in pattern.FIELDS if not all(field in log.labels for log in logs)}
    if not wanted or wanted == {"env"} or ("arm" not in wanted and len({*names}) == 1):
        return None
    found = pattern.recognise(names)
    if found is None and "arm" in wanted:
        example = suggest(names) or "{arm}/seed_{seed}"
        raise SettingError(
            f"pattern: which part of a run's name is its arm, and which its seed?{_examples(names)} Say it with "
            f"--pattern '{example}', for instance: {{env}} is the environment, {{}} is anything."
        )
    return found


def _examples(names: Sequence[str]) -> str:
    shown = [quoted(name) for name in dict.fromkeys(names)]
    return f" Runs are called {', '.join(shown[:3])}{', …' if len(shown) > 3 else ''}."


def _labels(log: Log, name: str, found: str | None, given: bool) -> dict[str, str]:
    """Arm, environment and seed of a log: what its file says counts more than a pattern that was recognised, and less
    than one that was given."""
    fields = pattern.match(found, name) if found else None
    read = pattern.labels(fields) if fields else {}
    labels = log.labels | read if given else read | log.labels
    for label in labels.values():
        refuse_label(label)
    if "seed" in labels and not labels["seed"].isdecimal():
        raise SettingError(f"{log.path}: seed = {quoted(labels['seed'])}: must be a whole number of at least 0.")
    return labels


def _with_environment(
    labelled: Sequence[tuple[dict[str, str], Log, str]], env: str | None
) -> list[tuple[dict[str, str], Log, str]]:
    """The same with an environment for each: the one that the user names, or any where none is said at all."""
    silent = [log.path for labels, log, _ in labelled if "env" not in labels]
    said = [labels["env"] for labels, *_ in labelled if "env" in labels]
    if silent and said and env is None:
        raise SettingError(
            f"env: {shortened(str(silent[0]))} does not say its environment, and another log says {quoted(said[0])}. "
            f"--env {said[0]} would name that of those which do not say."
        )
    return [({"env": env or "environment"} | labels, log, kind) for labels, log, kind in labelled]


def _together(labelled: Sequence[tuple[dict[str, str], Log, str]], has_seeds: bool) -> list[Run]:
    """One run for all logs of the same arm, environment and seed; without seeds, for all logs of the same place."""
    found: dict[tuple[str, str, int], dict[Kind, Log]] = {}
    numbers: dict[tuple[Path, str], int] = {}
    for labels, log, _ in labelled:
        place = (log.path.parent if log.is_folder else log.path, log.name)
        number = int(labels["seed"]) if has_seeds else numbers.setdefault(place, len(numbers))
        key = (labels["env"], labels.get("arm", "runs"), number)
        logs = found.setdefault(key, {})
        if log.kind in logs:
            raise SettingError(
                f"pattern: {shortened(str(logs[log.kind].path))} and {shortened(str(log.path))} are both "
                f"{log.kind} of arm {quoted(key[1])}, {key[0]}, seed {key[2]}; must be told apart, by a field of any "
                "name, such as --pattern '{arm}/lr_{lr}/seed_{seed}', or one of them left out."
            )
        logs[log.kind] = log
    return [
        Run(*key, {kind: tidy(log) for kind, log in logs.items()}, tuple(log.path for log in logs.values()))
        for key, logs in found.items()
    ]
