"""Put a dynamical system beside a policy, train hundreds of agents at once, and see whether it helps."""

import argparse
import importlib
import io
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from morphorl import __version__
from morphorl.config.errors import SettingError, StoreError, did_you_mean
from morphorl.config.interrupts import note_and_send_again
from morphorl.config.jax_environment import refusing_wrong_variables


class Command(NamedTuple):
    """Where a command is, what it does in a line, and whether it trains or evaluates (and so needs all cores)."""

    module: str
    name: str
    line: str
    computes: bool


COMMANDS = {
    "reproduce": Command("reproduce", "Reproduce", "run the post's whole experiment and show what comes out", True),
    "train": Command("train", "Train", "train a batch of agents with one setting", True),
    "eval": Command("eval", "Eval", "evaluate trained agents", True),
    "run": Command("run", "RunStudy", "run a study, here or on a Ray cluster; go on with one that was stopped", True),
    "luck": Command("luck", "Luck", "say whether it was the guidance or a lucky pattern: crossed seeds", True),
    "evolve": Command("evolve", "Evolve", "evolve the settings of a study's arm, by whole training runs", True),
    "readouts": Command("readouts", "ReadoutsCommand", "measure the readouts of a study's arms, to match noise", True),
    "pde": Command("pde", "Pde", "simulate the Gierer-Meinhardt field, guided, in one or two dimensions", True),
    "kinetics": Command("kinetics", "Kinetics", "say where the post's system ends, and whether patterns form", True),
    "check": Command("check", "Check", "test dynamics or a rule of your own against the contract; list ours", True),
    "plan": Command("plan", "Plan", "say how large a study is, and how long it would take", True),
    "status": Command("status", "Status", "say how a study stands", False),
    "clean": Command("clean", "Clean", "forget a study's failures, so that they are tried again", False),
    "studies": Command("studies", "Studies", "list the studies that come with morphorl", False),
    "summary": Command("summary", "Summary", "compute a study's tables and verdicts again, from its scores", False),
    "compare": Command("compare", "Compare", "compare every arm of a study, or of logs of others, with one", False),
    "multiverse": Command("multiverse", "Multiverse", "say which open choices carry the effect of guidance", False),
    "odds": Command("odds", "OddsCommand", "say how likely few seeds would have seen the post's plots", False),
    "report": Command("report", "Report", "write a report on a study or on logs, one HTML file for any browser", False),
    "watch": Command("watch", "Watch", "watch a trained agent beside its dynamics, in a page or in the terminal", True),
    "play": Command("play", "Play", "push an agent and its cell, train, stir the field: one page", False),
    "export": Command("export", "Export", "write a trained agent for others: model card, and an ONNX graph", True),
    "push": Command("push", "Push", "upload an exported agent to a model hub (off by default)", True),
    "doctor": Command("doctor", "Doctor", "say what a bug report needs, and whether training works here", True),
    "completion": Command("completion", "Completion", "print a script for completion in your shell", True),
    "figures": Command("figures", "Figures", "draw a study's figures for a paper", False),
}
NOTES = (
    "morphorl COMMAND --help explains its options. With --trust MODULE a command may import that module where a stored",
    "result or agent names it: it never runs code that those lead to without that. A study file that you run may.",
)
RESUMABLE = ("reproduce", "train", "run", "luck", "evolve")
"""Commands that keep what was finished when they are stopped."""


def main() -> None:
    """Entry point: parse, run, and turn what can go wrong into one sentence and an exit code."""
    note_and_send_again()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what an encoding lacks, γ in ASCII, is shown in another way
            stream.reconfigure(errors="backslashreplace")
    try:
        _run(sys.argv[1:])
    except (SettingError, StoreError) as error:
        _complain(str(error))
        sys.exit(2)
    except MemoryError as error:
        _complain(f"there is not enough memory ({str(error) or 'Python does not say for what'}).")
        sys.exit(1)
    except BrokenPipeError:  # whoever read our output has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        unnamed = "" if error.filename else " (on the standard output, or in a file that the system does not name)"
        _complain(f"{error}{unnamed}.")
        sys.exit(1)
    except KeyboardInterrupt:
        print(_stopped(sys.argv[1:]))
        sys.exit(130)


def _run(arguments: list[str]) -> None:
    """Run the command, and let what goes wrong with its last words go wrong here."""
    try:
        parse(arguments)()
    finally:
        if sys.stdout is not None:  # as it is where it was closed
            sys.stdout.flush()


def _complain(sentence: str) -> None:
    from rich.text import Text  # which help does without: it takes longer to import than all that help needs

    from morphorl.config.consoles import TextConsole

    TextConsole(stderr=True).print(Text.assemble(("error:", "red"), f" {sentence}"), soft_wrap=True)


def _stopped(arguments: list[str]) -> str:
    """What Ctrl-C leaves, and how to go on."""
    if arguments[0] not in RESUMABLE:
        return "Stopped."
    return f"Stopped. Finished batches are kept; go on with:\n  morphorl {shlex.join(arguments)}"


def parse(arguments: list[str]) -> Callable[[], None]:
    """The command on the command line, with its options."""
    name = arguments[0] if arguments else ""
    if name in ("-h", "--help"):
        print(usage())
        sys.exit(0)
    if name == "--version":
        print(f"morphorl {__version__}")
        sys.exit(0)
    if name not in COMMANDS:
        hint = did_you_mean(name, list(COMMANDS))
        raise SettingError(f"command = {name!r}: must be one of {', '.join(COMMANDS)}.{hint}")
    arguments = _trusting(arguments)
    command = COMMANDS[name]
    import tyro  # as slow to import as rich is, on which it builds

    with refusing_wrong_variables():
        if command.computes:
            from morphorl.config.devices import start, use_all_cores

            use_all_cores()
            start()  # before gymnax is imported, which computes
        module = importlib.import_module(f"morphorl.commands.{command.module}")
    prog = f"morphorl {name}"
    default = {"default": module.default(arguments[1:])} if hasattr(module, "default") else {}
    parsed = tyro.cli(getattr(module, command.name), args=arguments[1:], prog=prog, **default)
    _refuse_links_out(parsed)
    return parsed


def _refuse_links_out(command: object) -> None:
    """Refuse the folders that a command is about, if a link in them leads out: before it reads or writes anything."""
    folders = [value for value in vars(command).values() if isinstance(value, Path)]
    if folders:
        from morphorl.config.files import refuse_links_out  # which imports Polars

        for folder in folders:
            refuse_links_out(folder)


def _trusting(arguments: list[str]) -> list[str]:
    """The arguments without `--trust MODULE`, which every command takes: names in files may lead to these modules."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--trust", action="append", default=[], metavar="MODULE")
    known, rest = parser.parse_known_args(arguments)
    if known.trust:
        from morphorl.config.trust import trust

        trust(*known.trust)
    return rest


def usage() -> str:
    """What `morphorl --help` says: every command in a line."""
    lines = [f"  {name:<11}{command.line}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: morphorl COMMAND …", "", str(__doc__), "", *lines, "", *NOTES])
