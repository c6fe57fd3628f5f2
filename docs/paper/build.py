"""Builds the paper: numbers and figures from docs/results, set by Typst.

Usage: uv run --group docs docs/paper/build.py [--out runs/paper]
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import typst
import tyro

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # for the pages beside, whose words for numbers the paper shares

import drawings  # noqa: E402
import values  # noqa: E402


@dataclass
class Options:
    """Where the paper goes."""

    out: Path = Path("runs/paper")
    """The folder that gets morphorl.pdf, and the figures as PNG and SVG."""


def compiler(figures: Path) -> typst.Compiler:
    """Typst with the paper, its values and its figures.

    paper.typ gets the values as JSON under `values`, and each figure's SVG under its name.

    Args:
        figures: the folder that the figures are drawn into.
    """
    given = {"values": json.dumps(values.everything())} | drawings.everything(figures)
    return typst.Compiler(HERE / "paper.typ", root=HERE, ignore_system_fonts=True, sys_inputs=given)


def main(options: Options) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "morphorl.pdf"
    compiler(options.out / "figures").compile(output=path)
    print(f"Paper: {path}")


if __name__ == "__main__":
    main(tyro.cli(Options))
