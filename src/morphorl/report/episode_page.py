"""A page that shows one agent: the report's replay panel, with the environment's own pictures."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image, ImageDraw

from morphorl.ppo.checkpoints import Agents
from morphorl.report.embedding import TEMPLATES, content_hash, embed, fill
from morphorl.report.episode import Look
from morphorl.report.html_data import FEATURES, pack, pack_states
from morphorl.report.scripts import bundle

WIDTH = 360
"""Of the pictures, in pixels."""


def page(agent: Agents, episodes: list[list[Look]]) -> str:
    """The page as text; everything that it shows is in it, and it asks no network for anything."""
    settings, seed = agent.settings[0], agent.seeds[0]
    returns = [f"{sum(look.reward for look in looks):.4g}" for looks in episodes]
    rows = [row(agent, looks, i, returns[i]) for i, looks in enumerate(episodes)]
    arms = [{"label": f"seed {seed}"}]
    script, style = bundle(TEMPLATES / "watch.js"), (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return fill(
        TEMPLATES / "watch.html",
        environment=settings.environment,
        seed=seed,
        returns=returns,
        data=embed({"arms": arms, "replay": rows}),
        script=Markup(script),
        style=Markup(style),
        script_hash=content_hash(script),
        style_hash=content_hash(style),
    )


def gif(episodes: list[list[Look]], path: Path) -> None:
    """The same as an animated GIF: the environment's pictures beside the dynamics' states, half of the steps."""
    frames = [_beside(look) for looks in episodes for look in looks[::2] if look.picture is not None]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:], duration=60, loop=0)


def row(agent: Agents, looks: list[Look], number: int, total: str) -> dict[str, Any]:
    """An episode as the panel of replays takes it; the agent is the only one of its batch."""
    settings = agent.settings[0]
    stacked = {name: np.stack([getattr(look, name) for look in looks]) for name in ("network", "readout", "blended")}
    stacked["action"] = np.stack([np.atleast_1d(look.action)[:1] for look in looks])
    drawn = settings.environment.removeprefix("gym:")
    if drawn in FEATURES:
        columns = [0, FEATURES[drawn].index("θ")]
        stacked["position"] = np.stack([look.observation[columns] for look in looks])
    states = {name: np.stack([look.states[name] for look in looks]) for name in looks[0].states}
    actions = stacked["network"].shape[1]
    return {
        "preset": "",
        "environment": settings.environment,
        "arm": 0,
        "stage": f"episode {number + 1}",
        "steps": settings.updates * settings.ppo.batch,
        "seed": agent.seeds[0],
        "heard": settings.blend.reaches_logits,
        "features": FEATURES.get(
            drawn, [f"x{i + 1}" for i in range(max(map(len, looks[0].states.values()), default=0))]
        ),
        "actions": ["← left", "right →"] if drawn in FEATURES else [f"action {k}" for k in range(actions)],
        "outcome": f"Return {total} in {len(looks)} steps.",
        "length": len(looks),
        "states": pack_states(states),
        "episode": {name: pack(array) for name, array in stacked.items()},
        "pictures": [_encoded(look.picture) for look in looks if look.picture is not None],
    }


def _encoded(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    _small(picture).save(buffer, "WEBP", quality=60)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _small(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture)
    return image.resize((WIDTH, max(1, round(image.height * WIDTH / image.width))))


def _beside(look: Look) -> Image.Image:
    """The picture, and on its right a square for each entry of the states: blue above 0, orange below."""
    picture = _small(look.picture) if look.picture is not None else Image.new("RGB", (WIDTH, 240))
    canvas = Image.new("RGB", (WIDTH + 150, max(picture.height, 240)), "white")
    canvas.paste(picture, (0, 0))
    draw, top = ImageDraw.Draw(canvas), 8
    for name, state in look.states.items():
        draw.text((WIDTH + 12, top), name, fill="black")
        most, size = max(float(np.abs(state).max()), 1e-9), min(26, 120 // state.shape[1])
        for (i, k), value in np.ndenumerate(state):
            share = abs(float(value)) / most
            colour = (38, 110, 190) if value > 0 else (220, 120, 30)
            shade = tuple(round(255 + share * (c - 255)) for c in colour)
            corner = (WIDTH + 12 + k * size, top + 14 + i * size)
            draw.rectangle([*corner, corner[0] + size - 2, corner[1] + size - 2], fill=shade, outline="gray")
        top += 22 + size * len(state)
    return canvas
