"""`morphorl completion`."""

import dataclasses
from typing import Annotated, Literal

import tyro

from morphorl import cli, completion


@dataclasses.dataclass
class Completion:
    """Print a script that completes morphorl's commands and options in your shell.

    bash: `morphorl completion bash > ~/.local/share/bash-completion/completions/morphorl`. zsh: put it in a file and
    source that from ~/.zshrc. fish: `morphorl completion fish > ~/.config/fish/completions/morphorl.fish`.
    """

    shell: Annotated[Literal["bash", "zsh", "fish"], tyro.conf.Positional]
    """Which shell."""

    def __call__(self) -> None:
        commands = {name: (one.module, one.name, one.line) for name, one in cli.COMMANDS.items()}
        print(completion.script(self.shell, commands), end="")
