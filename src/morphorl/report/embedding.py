"""What a page with everything in it needs: data and scripts that cannot end their element, and cells of its tables."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


def embed(data: Any) -> Markup:
    """JSON that cannot end the element that it stands in: no `<`, `>` or `&`, whatever the labels are."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def content_hash(text: str) -> str:
    """How a content security policy names a script or style that stands in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def fill(template: Path, **values: Any) -> str:
    """A page by its template; what is no `Markup` is shown as text.

    Raises:
        jinja2.UndefinedError: if the template names a value that is not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template.name).render(**values)


def estimate_in_words(estimate: dict[str, float | None] | None, name: str) -> str:
    """A cell of the table of numbers."""
    if estimate is None:
        return "not measured"
    value, low, high = (estimate[key] for key in ("value", "low", "high"))
    never = name == "steps_to_threshold"
    if value is None:
        return "not reached" if never else "unknown"
    if low is None and high is None:
        return f"{value:,.5g} (no interval)"
    return f"{value:,.5g} ({_bound(low)} to {_bound(high)})"


def _bound(value: float | None) -> str:
    return "never" if value is None else f"{value:,.5g}"
