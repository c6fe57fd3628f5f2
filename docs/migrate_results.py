"""Old setting names to new ones in published results; running it again changes nothing.

python migrate_results.py docs/results
"""

import json
import re
import sys
from pathlib import Path

DYNAMICS = {
    "sign": "sign_flipped",
    "noise": "correlated_noise",
    "coloured": "coloured_noise",
    "state_dependent": "state_dependent_noise",
    "reservoir": "echo_state",
}
MEMORY = {"leaky": "leaky_integrators", "previous": "previous_observation", "reservoir": "echo_state"}
OLD = ("cell", "control", "field")
RESERVOIR = {"memory.wiring": "cycle", "memory.spectral_radius": 0.6, "memory.input_scale": 0.3}


def dotted(values, prefix=""):
    flat = {}
    for key, value in values.items():
        flat |= dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def nest(flat):
    nested = {}
    for name, value in flat.items():
        *tables, last = name.split(".")
        table = nested
        for one in tables:
            table = table.setdefault(one, {})
        table[last] = value
    return nested


def named(text):
    """Names of settings in a label's pattern, or as a key."""
    return re.sub(r"\b(cell|control|field)\.(?=[a-z_])", "dynamics.", text)


def modern(flat):
    for name in ("cell.kind", "control.kind", "memory.kind"):
        assert not isinstance(flat.get(name), list), f"{name} is swept: translate it by hand"
    new = {}
    for name, value in flat.items():
        table, _, rest = name.partition(".")
        if name == "cell.kind":
            if value == "field":
                new["dynamics.kind"] = "gierer_meinhardt"
        elif name == "control.kind":
            if value == "sticky":
                new["task.sticky"] = True
            elif value != "none":
                new["dynamics.kind"] = DYNAMICS[value]
        elif name == "control.repeat":
            new["task.repeat"] = value
        elif name == "memory.kind":
            new[name] = MEMORY.get(value, value)
            if value == "reservoir":
                new |= RESERVOIR
        elif name == "memory.first_gain" and flat.get("memory.kind") in ("previous", "reservoir"):
            new["memory.gain"] = value
        elif name == "learned.parameters":
            new[name] = [named(one) for one in value]
        elif table in OLD:
            new["dynamics." + rest] = value
        else:
            new[name] = value
    return new


def study(text):
    content = json.loads(text)
    flats = {"settings": dotted(content.get("settings") or {})}
    flats |= {f"arm {label}": dotted(values) for label, values in content["arms"].items()}
    if not any(
        name.split(".")[0] in OLD or name == "memory.kind" and value in MEMORY
        for flat in flats.values()
        for name, value in flat.items()
    ):
        return text
    if "settings" in content:
        content["settings"] = nest(modern(dotted(content["settings"])))
    content["arms"] = {named(label): nest(modern(dotted(values))) for label, values in content["arms"].items()}
    indent = re.search(r"\n( +)", text)
    ascii_only = text.isascii()
    written = json.dumps(content, indent=len(indent[1]) if indent else None, ensure_ascii=ascii_only)
    return written + text[len(text.rstrip()) :]


def table(text):
    text = re.sub(r'(?m)^(\s*)control\.kind = "sticky"', r"\1task.sticky = true", text)
    text = text.replace("control.repeat", "task.repeat")
    text = re.sub(r'control\.kind = "(\w+)"', lambda m: f'dynamics.kind = "{DYNAMICS[m[1]]}"', text)
    text = text.replace('cell.kind = "field"', 'dynamics.kind = "gierer_meinhardt"')
    more = "".join(f"\n{name} = {json.dumps(value)}" for name, value in RESERVOIR.items())
    text = text.replace('memory.kind = "reservoir"', 'memory.kind = "echo_state"' + more)
    text = re.sub(r'memory\.kind = "(leaky|previous)"', lambda m: f'memory.kind = "{MEMORY[m[1]]}"', text)
    return re.sub(r"(?<![\w/])(cell|control|field)\.(?=(?:equation\.)?[a-z_]+\b)(?!py|toml|md|png|json)", "dynamics.", text)


def other(text):
    """Results that name settings: verdicts of several readings, the history of a search, a comparison's notes."""
    text = re.sub(r'"(cell|control|field)\.(?=[a-z_.]+")', '"dynamics.', text)
    return text.replace("settings of blend, cell, control, field, guidance,", "settings of blend, dynamics, guidance,")


for root in sys.argv[1:]:
    for path in sorted(Path(root).rglob("*")):
        if path.suffix not in (".json", ".toml"):
            continue
        old = path.read_text(encoding="utf-8")
        new = table(old) if path.suffix == ".toml" else study(old) if path.name == "study.json" else other(old)
        if new != old:
            print(path)
            path.write_text(new, encoding="utf-8")
