"""`morphorl export`."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from morphorl.commands.shared import Folder, console
from morphorl.config.errors import SettingError
from morphorl.config.files import write_atomically
from morphorl.integrations import model_card, onnx_export
from morphorl.ppo import checkpoints, evaluation


@dataclasses.dataclass
class Export:
    """Write one trained agent for others: its files, a model card, and with --onnx a graph for any ONNX runtime.

    The graph takes the observation and the dynamics' state, and returns logits, action and the new state. It is played
    beside the JAX agent for 1,000 steps before the command says that it is done.
    """

    agent: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="AGENT")]
    """The folder that `morphorl train --out` wrote."""
    onnx: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write agent.onnx too (needs the extra `onnx`)."""
    seed: int | None = None
    """Which of the agents; the first one if not given."""
    out: Folder | None = None
    """Where to write; AGENT/export if not given."""
    episodes: int = 100
    """Greedy episodes of every agent, for the model card's IQM and interval."""

    def __call__(self) -> None:
        if self.episodes < 1:
            raise SettingError(f"episodes = {self.episodes}: must be a whole number of at least 1.")
        batch = checkpoints.load_agents(self.agent)
        chosen = checkpoints.one(batch, self.seed)
        out = self.agent / "export" if self.out is None else self.out
        out.mkdir(parents=True, exist_ok=True)
        difference = None
        if self.onnx:
            with console.status("translating, and playing 1,000 steps beside JAX"):
                difference = onnx_export.to_onnx(chosen, out / "agent.onnx")
            told = f"agent.onnx acts as the JAX agent over 1,000 steps (logits differ by at most {difference:.1g})."
            console.print(told, soft_wrap=True)
        checkpoints.save_agents(chosen, out)
        with console.status(f"evaluating {len(batch.seeds)} agents for the card"):
            returns = evaluation.evaluate(batch, self.episodes)
        files = ["agents.json", "agents.safetensors", *["agent.onnx"] * self.onnx]
        text = model_card.card(batch, returns, files, difference)
        write_atomically(out / "README.md", lambda path: path.write_text(text, encoding="utf-8"))
        console.print(f"Exported: {out}", soft_wrap=True)
