"""TensorBoard's event files: one scalar of them, streamed record by record.

A record is its length (8 bytes, little-endian), a checksum of that, as many bytes, and a checksum of those (CRC-32C,
masked), as TFRecord has it; the bytes are an `Event`, which `tensorboardX` decodes. The files of a folder are the
pieces of one run, in the order of their names, which begin with the time of their start. A file that ends in the middle
of a record, as that of a killed run does, is read up to there.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from morphorl.analysis.logs.log import Asked, Kind, Log, points
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.extras import need

NAME = "TensorBoard's events"
WHAT = "event files of TensorBoard (a scalar: --tag; needs the extra tensorboard)"
RANK = 2

TAGS: dict[str, Kind] = {
    "rollout/ep_rew_mean": "training",
    "charts/episodic_return": "training",
    "episodic_return": "training",
    "train/episode_return": "training",
    "ray/tune/env_runners/episode_return_mean": "training",
    "ray/tune/episode_reward_mean": "training",
    "eval/mean_reward": "evaluation",
    "eval/episodic_return": "evaluation",
    "eval/episode_return": "evaluation",
}
"""Scalars that are known to be returns: where no tag is given, those of them that are there are read."""
CHECKED = 10_000
"""Bytes up to which a record's content is checked too: scalars are small, and the checksum is slow on pictures."""
LARGEST_RECORD = 100_000_000
"""Bytes: a picture or a video in the file is not larger, and a length beyond it is damage."""


class _Scalars(NamedTuple):
    """The values of every scalar of a run's files, and where a file ended too soon."""

    by_tag: dict[str, tuple[list[float], list[float]]]
    notes: tuple[str, ...]


def claims(path: Path, head: bytes) -> bool:
    """By the name that every writer of event files gives."""
    return ".tfevents." in path.name


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """One run: its scalar in training and that of its evaluations."""
    found = _scalars(sorted(paths, key=lambda path: path.name))
    there = list(found.by_tag)
    if asked.tag is not None and asked.tag not in found.by_tag:
        raise SettingError(
            f"tag = {asked.tag!r}: {paths[0].parent} has {', '.join(there) or 'no scalars'}."
            f"{did_you_mean(asked.tag, there)}"
        )
    kinds: dict[Kind, str] = {}
    wanted: dict[str, Kind] = TAGS if asked.tag is None else {asked.tag: TAGS.get(asked.tag, "training")}
    for tag, kind in wanted.items():
        if tag in found.by_tag:
            kinds.setdefault(kind, tag)
    if not kinds:
        raise SettingError(
            f"tag: which scalar of {paths[0].parent} is the return? It has {', '.join(there[:30]) or 'none'}. "
            f"--tag {next(iter(there), 'TAG')} would say it."
        )
    for kind, tag in kinds.items():
        yield Log(paths[0], "", kind, {}, points(*found.by_tag[tag]), f"{tag} over steps", found.notes)


def _scalars(paths: list[Path]) -> _Scalars:
    proto = need("tensorboard", "tensorboardX.proto.event_pb2", f"{paths[0]}")
    crc32c = need("tensorboard", "tensorboardX.crc32c", f"{paths[0]}").crc32c
    by_tag: dict[str, tuple[list[float], list[float]]] = {}
    notes = []
    for path in paths:
        try:
            for step, tag, value in _events(path, proto, crc32c):
                steps, values = by_tag.setdefault(tag, ([], []))
                steps.append(step)
                values.append(value)
        except _CutOffError as error:
            notes.append(f"an event file {error}; what stands before is read")
    return _Scalars(by_tag, tuple(notes))


class _CutOffError(Exception):
    """A file that does not end with a whole record."""


def _events(path: Path, proto: ModuleType, crc32c: Callable[[bytes], int]) -> Iterator[tuple[float, str, float]]:
    """Step, tag and value of every scalar, in the order of the file."""
    with path.open("rb") as file:
        while head := file.read(12):
            if len(head) < 12:
                raise _CutOffError("ends in the middle of a record")
            length, check = struct.unpack("<QI", head)
            if _masked(crc32c, head[:8]) != check or length > LARGEST_RECORD:
                raise _CutOffError(f"is damaged at byte {file.tell() - 12:,}")
            data = file.read(length + 4)
            if len(data) < length + 4:
                raise _CutOffError("ends in the middle of a record")
            content, check = data[:-4], int.from_bytes(data[-4:], "little")
            if length <= CHECKED and _masked(crc32c, content) != check:
                raise _CutOffError(f"is damaged at byte {file.tell() - length - 4:,}")
            try:
                event = proto.Event.FromString(content)
            except Exception as error:  # protobuf's own, which depends on how it is built
                raise _CutOffError(f"is damaged at byte {file.tell() - length - 4:,}") from error
            for value in event.summary.value:
                number = _number(value)
                if number is not None:
                    yield float(event.step), value.tag, number


if TYPE_CHECKING:

    class _Tensor(Protocol):
        """TensorFlow's `TensorProto`, as far as it is read."""

        dtype: int
        tensor_content: bytes
        float_val: Sequence[float]
        double_val: Sequence[float]

    class _Value(Protocol):
        """TensorFlow's `Summary.Value`, as far as it is read."""

        simple_value: float
        tensor: _Tensor

        def WhichOneof(self, group: str) -> str | None:  # noqa: N802 (protobuf's name)
            """Which field of a group is set."""
            ...
else:
    _Value = object  # protobuf's fields are made when they are asked for, which no look at a class can see


def _number(value: _Value) -> float | None:
    """A scalar, as version 1 of summaries writes it or version 2 does (a tensor of one number); None for others."""
    which = value.WhichOneof("value")
    if which == "simple_value":
        return float(value.simple_value)
    if which != "tensor":
        return None
    tensor = value.tensor
    for numbers in (tensor.float_val, tensor.double_val):
        if len(numbers) == 1:
            return float(numbers[0])
    kind = {1: np.float32, 2: np.float64}.get(tensor.dtype)
    size = 0 if kind is None else np.dtype(kind).itemsize
    return float(np.frombuffer(tensor.tensor_content, kind)[0]) if len(tensor.tensor_content) == size > 0 else None


def _masked(crc32c: Callable[[bytes], int], data: bytes) -> int:
    """The checksum that TFRecord stores: rotated, and moved by a constant."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
