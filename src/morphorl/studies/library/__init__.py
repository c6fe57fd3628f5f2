"""The studies that come with morphorl, one TOML file per question."""

import re
from pathlib import Path


def shipped() -> dict[str, Path]:
    """Their files, by the study's name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def introduction(path: Path) -> str:
    """The comment that a study file begins with: what it asks."""
    comment = re.match(r"(#.*\n)+", path.read_text("utf-8"))
    return re.sub(r"\s*\n?#\s*", " ", comment[0]).strip() if comment else ""
