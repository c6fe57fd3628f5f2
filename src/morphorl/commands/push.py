"""`morphorl push`."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from morphorl.commands.shared import console
from morphorl.config.errors import SettingError
from morphorl.config.extras import need
from morphorl.ppo import checkpoints

FILES = ("README.md", "agents.json", "agents.safetensors", "agent.onnx")


@dataclasses.dataclass
class Push:
    """Upload an exported agent to a model hub; without --upload, only say what would be uploaded.

    Needs the extra `hub`, and the hub's own login. Nothing else in morphorl ever sends anything anywhere.
    """

    export: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """A folder that `morphorl export` wrote."""
    to: Annotated[str, tyro.conf.arg(metavar="OWNER/NAME")]
    """The hub's repository."""
    upload: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Really upload."""

    def __call__(self) -> None:
        if self.to.count("/") != 1:
            raise SettingError(f"to = {self.to!r}: must be OWNER/NAME.")
        checkpoints.load_agents(self.export)  # refuses what is damaged
        files = [name for name in FILES if (self.export / name).is_file()]
        if "README.md" not in files:
            raise SettingError(f"{self.export}: has no README.md; must be a folder that `morphorl export` wrote.")
        console.print(f"To {self.to}: {', '.join(files)}", soft_wrap=True)
        if not self.upload:
            console.print("Nothing was uploaded; add --upload to do it.")
            return
        hub = need("hub", "huggingface_hub", "push")
        hub.create_repo(self.to, exist_ok=True)
        hub.upload_folder(repo_id=self.to, folder_path=str(self.export), allow_patterns=files)
        console.print("Uploaded.")
