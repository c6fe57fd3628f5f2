"""Arms, environments and seeds from the names of folders, by a pattern such as `{arm}/{env}/seed_{seed}`.

A pattern is looked for at the end of a run's name: what its folder (or file) is called below the given path, that
path's own last part included. `{seed}` is a whole number; every other field is text within one part of a name. `{}`
matches anything. A field of any other name becomes a part of the arm's label, as `lr` does in `{arm}/lr_{lr}/{seed}`.
"""

import re
from collections.abc import Sequence

from morphorl.config.errors import SettingError, quoted

FIELDS = ("arm", "env", "seed")
ENVIRONMENT = r"(?:[\w.-]+:)?[A-Za-z][\w.+-]*-v\d+"
"""How ids of Gymnasium's environments look: a default pattern takes nothing else for one."""

DEFAULTS = (
    "{env}__{arm}__{seed}__{}",
    "{arm}/{env}/seed_{seed}",
    "{env}/{arm}/seed_{seed}",
    "{arm}/{env}/seed{seed}",
    "{env}/{arm}/seed{seed}",
    "{arm}/{env}/{seed}",
    "{env}/{arm}/{seed}",
    "{arm}/{env}_{seed}",
    "{env}/{arm}_{seed}",
    "{arm}/seed_{seed}",
    "{arm}/seed{seed}",
    "{arm}/seed-{seed}",
    "{arm}/{seed}",
    "{arm}_seed_{seed}",
    "{arm}_seed{seed}",
    "{arm}-seed-{seed}",
    "{arm}_s{seed}",
    "{arm}_{seed}",
    "{arm}-{seed}",
    "{arm}",
)
"""Patterns that are tried in turn where none is given: the first that fits all runs, and tells them apart, is taken."""


def match(pattern: str, name: str, *, strict: bool = False) -> dict[str, str] | None:
    """The fields of a name; None if the pattern does not fit.

    Args:
        strict: `{env}` must look like an id of Gymnasium's, and no arm like one.

    Raises:
        SettingError: for a pattern that is none.

    Example:
        >>> match("{arm}/seed_{seed}", "logs/ppo/seed_3")
        {'arm': 'ppo', 'seed': '3'}
    """
    found = re.search(rf"(?:^|/){_expression(pattern, strict)}$", name)
    fields = found and {key: value for key, value in found.groupdict().items() if value is not None}
    if not fields or (strict and re.fullmatch(ENVIRONMENT, fields.get("arm", ""))):
        return None
    return fields


def labels(fields: dict[str, str]) -> dict[str, str]:
    """Arm, environment and seed from a pattern's fields; those of other names are put into the arm's label."""
    others = [f"{name}={value}" for name, value in fields.items() if name not in FIELDS]
    arm = ", ".join([*([fields["arm"]] if "arm" in fields else []), *others])
    return {name: fields[name] for name in ("env", "seed") if name in fields} | ({"arm": arm} if arm else {})


def recognise(names: Sequence[str]) -> str | None:
    """The first of `DEFAULTS` that fits all names, and gives each name other fields."""
    for pattern in DEFAULTS:
        found = [match(pattern, name, strict=True) for name in names]
        if all(found) and len({tuple((one or {}).items()) for one in found}) == len(set(names)):
            return pattern
    return None


def _expression(pattern: str, strict: bool) -> str:
    parts = re.split(r"{([^{}]*)}", pattern)
    if len(parts) == 1 or "{" in "".join(parts[::2]) or "}" in "".join(parts[::2]):
        raise SettingError(f"pattern = {quoted(pattern)}: must have fields in braces, such as '{{arm}}/seed_{{seed}}'.")
    seen: set[str] = set()
    expression = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            expression += re.escape(part)
        elif part and not part.isidentifier():
            raise SettingError(f"pattern = {quoted(pattern)}: {quoted(part)} must be a name, such as arm, env or seed.")
        elif part in seen:
            raise SettingError(f"pattern = {quoted(pattern)}: must name {part!r} once.")
        else:
            inner = r"\d+" if part == "seed" else ENVIRONMENT if strict and part == "env" else "[^/]+?"
            expression += f"(?P<{part}>{inner})" if part else "[^/]*"
            seen |= {part} if part else set()
    return expression
