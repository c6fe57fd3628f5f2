"""`morphorl watch`."""

import dataclasses
import importlib.util
from pathlib import Path
from typing import Annotated

import tyro

from morphorl.commands.shared import console
from morphorl.config.errors import SettingError
from morphorl.config.extras import missing
from morphorl.config.files import write_atomically
from morphorl.ppo import checkpoints
from morphorl.report import episode, episode_page, terminal
from morphorl.report.html_data import FEATURES


@dataclasses.dataclass
class Watch:
    """Watch a trained agent: write AGENT/watch.html, episodes beside the dynamics in one file that needs no network.

    The pictures are the environment's own (extra `render`). CartPoles can be drawn without it.
    """

    agent: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="AGENT")]
    """The folder that `morphorl train --out` (or `export`) wrote."""
    episodes: int = 3
    """How many episodes."""
    seed: int | None = None
    """Which of the agents; the first one if not given."""
    greedy: bool = False
    """Take the most probable action; otherwise sample, as in training."""
    gif: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write watch.gif too (needs the extra `render`)."""
    terminal: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the episodes here, as numbers and colours, and write nothing."""

    def __call__(self) -> None:
        if self.episodes < 1:
            raise SettingError(f"episodes = {self.episodes}: must be a whole number of at least 1.")
        chosen = checkpoints.one(checkpoints.load_agents(self.agent), self.seed)
        environment = chosen.settings[0].environment
        if self.terminal:
            for number in range(self.episodes):
                looks = episode.episode(chosen, number, pictures=False, greedy=self.greedy)
                terminal.show(looks, f"{environment}, episode {number + 1}", console)
            return
        pictures = importlib.util.find_spec("pygame") is not None
        if not pictures and (self.gif or environment.removeprefix("gym:") not in FEATURES):
            raise SettingError(missing("render", "watch"))
        with console.status("playing"):
            played = [
                list(episode.episode(chosen, number, pictures=pictures, greedy=self.greedy))
                for number in range(self.episodes)
            ]
            text = episode_page.page(chosen, played)
        write_atomically(self.agent / "watch.html", lambda path: path.write_text(text, encoding="utf-8"))
        written = [self.agent / "watch.html"]
        if self.gif:
            if played[0][0].picture is None:
                raise SettingError(f"gif: {environment} has no pictures; leave --gif out.")
            write_atomically(self.agent / "watch.gif", lambda path: episode_page.gif(played, path))
            written.append(self.agent / "watch.gif")
        for path in written:
            told = f"Watch: {path} ({path.stat().st_size / 1e6:.1f} MB)"
            console.print(told, soft_wrap=True)
