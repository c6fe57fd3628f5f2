"""`morphorl completion`: a script that knows every command, its options, and the values that an option allows.

The script is written once and holds all it needs, so that pressing Tab starts no Python.
"""

import dataclasses
import importlib
from typing import Annotated, Literal

import tyro

from morphorl import cli
from morphorl.config.errors import SettingError, did_you_mean

SHELLS = ("bash", "zsh", "fish")

Options = dict[str, tuple[str, ...]]
"""The values that each option allows; none where any will do."""


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
        print(script(self.shell, commands), end="")


def script(shell: str, commands: dict[str, tuple[str, str, str]]) -> str:
    """The completion script for a shell.

    Args:
        commands: by name, the module and class of each command, and what it does in a line.

    Raises:
        SettingError: for a shell that is not known.
    """
    if shell not in SHELLS:
        raise SettingError(f"shell = {shell!r}: must be one of {', '.join(SHELLS)}.{did_you_mean(shell, SHELLS)}")
    options = {name: options_of(module, cls) for name, (module, cls, _) in commands.items()}
    if shell == "fish":
        return _fish(options, {name: line for name, (_, _, line) in commands.items()})
    head = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return head + _bash(options)


def options_of(module: str, cls: str) -> Options:
    """The options of one command."""
    imported = importlib.import_module(f"morphorl.commands.{module}")
    default = {"default": imported.default([])} if hasattr(imported, "default") else {}
    parser = tyro.extras.get_parser(getattr(imported, cls), **default)
    found: Options = {}
    for action in parser._actions:
        for name in action.option_strings:
            if name.startswith("--"):
                found[name] = tuple(map(str, action.choices or ()))
    return found


def _bash(commands: dict[str, Options]) -> str:
    values = [
        f'    "{command} {name}") words="{" ".join(choices)}";;'
        for command, options in commands.items()
        for name, choices in options.items()
        if choices
    ]
    names = [f'    {command}) words="{" ".join(options)}";;' for command, options in commands.items()]
    return "\n".join(
        [
            "_morphorl() {",
            '  local cur="${COMP_WORDS[COMP_CWORD]}" command="${COMP_WORDS[1]}" words=""',
            "  COMPREPLY=()",
            '  if [ "$COMP_CWORD" -eq 1 ]; then',
            f'    COMPREPLY=($(compgen -W "{" ".join(commands)} --help --version" -- "$cur")); return',
            "  fi",
            '  case "$command ${COMP_WORDS[COMP_CWORD-1]}" in',
            *values,
            "  esac",
            '  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); return; fi',
            '  case "$cur" in -*) ;; *) return;; esac',
            '  case "$command" in',
            *names,
            "  esac",
            '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
            "}",
            "complete -o default -F _morphorl morphorl",
            "",
        ]
    )


def _fish(commands: dict[str, Options], lines: dict[str, str]) -> str:
    said = [
        f'complete -c morphorl -n __fish_use_subcommand -a {name} -d "{lines[name].replace(chr(34), chr(39))}"'
        for name in commands
    ]
    for command, options in commands.items():
        for name, choices in options.items():
            values = f' -x -a "{" ".join(choices)}"' if choices else ""
            said.append(f'complete -c morphorl -n "__fish_seen_subcommand_from {command}" -l {name[2:]}{values}')
    return "\n".join([*said, ""])
