"""Ways in which a folder of results or agents can be damaged: by disks, by other programs, by hand, by malice."""

import json
import os
import random
import shutil
from pathlib import Path

from morphorl.config.sealed import write_sealed_json

WRONG = (None, True, -1, 0, 10**10, 10**30, 1e300, float("nan"), "", "x" * 100, "[/b]", "a:B", "gym:x:Y", [], [[]], {})
"""Values of types and sizes that nobody expects."""


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flip_a_bit(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content) or 1)])


def fill_with_zeros(path: Path, chance: random.Random) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def append(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(8))


def swap(path: Path, chance: random.Random) -> None:
    other = chance.choice(files(path.parents[1] if path.parent.name == "shards" else path.parent))
    content, others = path.read_bytes(), other.read_bytes()
    path.write_bytes(others)
    other.write_bytes(content)


def remove(path: Path, chance: random.Random) -> None:
    path.unlink()


def replace_by_something_else(path: Path, chance: random.Random) -> None:
    """A folder, a pipe, a device, a link that leads to itself."""
    path.unlink()
    chance.choice((os.mkdir, os.mkfifo, lambda p: os.symlink("/dev/zero", p), lambda p: os.symlink(p, p)))(path)


def change_a_value(path: Path, chance: random.Random) -> None:
    """Another value somewhere in JSON, sealed again: what somebody writes who knows how files are sealed."""
    if path.suffix != ".json":
        return flip_a_bit(path, chance)
    content = json.loads(path.read_text())
    place = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = chance.choice(keys)
        if chance.random() < 0.2 or not isinstance(place[key], dict | list) or not place[key]:
            place[key] = chance.choice(WRONG)
            break
        place = place[key]
    sealed = isinstance(content, dict) and content.pop("checksum", None) is not None
    write_sealed_json(path, content) if sealed else path.write_text(json.dumps(content))
    return None


def nest_deeply(path: Path, chance: random.Random) -> None:
    path.write_text("[" * 100_000 if path.suffix == ".json" else "")


WAYS = (
    flip_a_bit,
    truncate,
    fill_with_zeros,
    append,
    swap,
    remove,
    replace_by_something_else,
    change_a_value,
    change_a_value,
    nest_deeply,
)


def damage(folder: Path, seed: int) -> str:
    """Damage one file of a folder in one way, both decided by a seed; gives what was done, in words."""
    chance = random.Random(seed)
    path, way = chance.choice(files(folder)), chance.choice(WAYS)
    way(path, chance)
    return f"{seed}: {way.__name__} {path.relative_to(folder)}"


def copy(whole: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(whole, to, symlinks=True))
