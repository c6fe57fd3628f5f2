"""Worker: `morphorl train` on 16 agents for 5000 steps each, from the command to its results, in a fresh process.

Usage: first_result.py cold|warm

`cold` starts every repeat with an empty cache of compiled programs; `warm` finds there what the first repeat compiled.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import work

COMMAND = (sys.executable, "-m", "morphorl", "train", "--env", "CartPole-v1", "--seeds", "16", "--steps", "5000")


def main(state: str, folder: Path) -> None:
    """Train into a new folder inside `folder`, whenever told."""

    def repeat() -> float:
        out = Path(tempfile.mkdtemp(dir=folder))
        cache = out / "cache" if state == "cold" else folder / "cache"
        environment = os.environ | {"MORPHORL_CACHE": str(cache)}
        subprocess.run([*COMMAND, "--out", str(out / "results")], env=environment, check=True)
        return 1

    work.serve(repeat)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1], Path(folder))
