"""Version, doctor, completion, help, and what the base installation leaves out."""

import functools
import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys

import jax
import jaxtyping
import pytest
import tyro

from morphorl import cli
from morphorl.commands import completion, doctor
from morphorl.config import extras
from morphorl.config.errors import SettingError
from morphorl.studies import number_check

COMMANDS = {name: (one.module, one.name, one.line) for name, one in cli.COMMANDS.items()}


@pytest.fixture(autouse=True)
def as_users_have_it():
    """No type checker, which tyro's placeholders would not pass."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["morphorl", "--version"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    assert capsys.readouterr().out.strip() == f"morphorl {importlib.metadata.version('morphorl')}"


def test_the_doctor_tells_what_a_bug_report_needs_and_tests_itself(capsys):
    doctor.Doctor()()
    printed = capsys.readouterr().out
    for word in ("Python", "jaxlib", "devices", "kernel", "cores", "cache", "extras", "agents trained as they should"):
        assert word in printed
    assert re.search(r"numbers: a training update agrees with float64 to \de-0\d", printed)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("no such device"), "RuntimeError: no such device"),
        (RuntimeError("[/red] of [bold]f32[4,8][/bold]\nand more"), "RuntimeError: [/red] of [bold]f32[4,8][/bold]"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_the_doctor_notices_what_is_wrong(error, said, monkeypatch, capsys):
    def broken():
        raise error

    monkeypatch.setattr(number_check, "updates", broken)
    with pytest.raises(SystemExit) as end:
        doctor.Doctor()()
    assert end.value.code == 1
    assert f"self-test: {said}\n" in capsys.readouterr().out


def test_the_doctor_says_where_there_is_no_device(monkeypatch, capsys):
    def none():
        raise RuntimeError("Unable to initialize backend 'tpu': [no] such library\nand more")

    monkeypatch.setattr(jax, "devices", none)
    monkeypatch.setenv("MORPHORL_CACHE", "/nowhere/[red]")
    with pytest.raises(SystemExit) as end:
        doctor.Doctor()()
    assert end.value.code == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "devices none (RuntimeError: Unable to initialize backend 'tpu': [no] such library)" in printed
    assert "self-test: RuntimeError: Unable to initialize backend 'tpu': [no] such library" in printed
    assert "cache /nowhere/[red] (empty)" in printed


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_option_of_every_command_is_explained(name):
    module = importlib.import_module(f"morphorl.commands.{cli.COMMANDS[name].module}")
    default = {"default": module.default([])} if hasattr(module, "default") else {}
    cls = getattr(module, cli.COMMANDS[name].name)
    parser = tyro.extras.get_parser(cls, **default)
    assert len(cls.__doc__.split()) >= 5
    unexplained = [a.dest for a in parser._actions if not re.search(r"[a-zγ]{3}", str(a.help).split("(default")[0])]
    assert unexplained == []


# --- Completion -------------------------------------------------------------------------------------------------------


def complete(script, *words):
    """What bash offers for the last of the words."""
    quoted = " ".join(f'"{word}"' for word in words)
    asked = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _morphorl; echo ${{COMPREPLY[@]}}"
    return subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout.split()


@functools.cache
def bash():
    return completion.script("bash", COMMANDS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["tr"], ["train"]),
        (["re"], ["reproduce", "readouts", "report"]),
        (["train", "--dynamics.coup"], ["--dynamics.coupling"]),
        (["train", "--dynamics.coupling", ""], ["mean", "ring", "lattice", "partner"]),
        (["train", "--preset", "tu"], ["tuned"]),
        (["export", "--on"], ["--onnx"]),
        (["eval", "runs"], []),  # a folder: bash's own completion of files takes over
    ],
)
def test_bash_completes(words, offered):
    assert complete(bash(), "morphorl", *words) == offered


def test_zsh_and_fish_scripts_hold_every_command():
    for shell in ("zsh", "fish"):
        script = completion.script(shell, COMMANDS)
        assert all(re.search(rf"\b{name}\b", script) for name in COMMANDS)
        if shutil.which(shell):
            subprocess.run([shell, "-n", "-c", script], check=True)
    with pytest.raises(SettingError, match=r"shell = 'bsh': must be one of bash, zsh, fish. Did you mean 'bash'"):
        completion.script("bsh", COMMANDS)


# --- What the base installation leaves out ----------------------------------------------------------------------------

HEAVY = {
    "torch",
    "ray",
    "playwright",
    "selenium",
    "stable-baselines3",
    "onnxruntime",
    "tensorflow",
    "wandb",
    "pygame-ce",
    "mujoco",
}


def requirements(package, seen):
    """Everything that a package's plain installation brings along."""
    for line in importlib.metadata.requires(package) or []:
        name = re.match(r"[A-Za-z0-9_.-]+", line).group().lower().replace("_", "-")
        if "extra ==" in line or name in seen:
            continue
        seen.add(name)
        try:
            requirements(name, seen)
        except importlib.metadata.PackageNotFoundError:
            continue
    return seen


def test_the_base_installation_brings_no_pytorch_ray_or_browser():
    found = requirements("morphorl", set())
    assert {"jax", "gymnasium", "tyro"} <= found
    assert not found & HEAVY


@pytest.mark.parametrize("extra", extras.EXTRAS)
def test_a_missing_extra_is_told_in_one_sentence_with_the_command(extra, monkeypatch):
    monkeypatch.setitem(sys.modules, extras.EXTRAS[extra], None)
    with pytest.raises(SettingError) as error:
        extras.need(extra, extras.EXTRAS[extra], "track = 'it'")
    assert str(error.value) == (
        f"track = 'it': needs the extra {extra!r}, which is not installed; "
        f"get it with: pip install 'morphorl[{extra}]' (in a clone: uv sync --inexact --extra {extra})."
    )


def test_every_extra_is_one_of_the_package():
    declared = set(importlib.metadata.metadata("morphorl").get_all("Provides-Extra"))
    assert set(extras.EXTRAS) <= declared


def test_the_policy_without_pytorch_is_told_in_one_sentence():
    asked = "import sys; sys.modules['torch'] = None; import morphorl.integrations.stable_baselines3"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert ran.stderr.strip().splitlines()[-1] == (
        "ImportError: morphorl.integrations.stable_baselines3: needs the extra 'sb3', which is not installed; "
        "get it with: pip install 'morphorl[sb3]' (in a clone: uv sync --inexact --extra sb3)."
    )


def test_export_without_onnx_is_told(monkeypatch, tmp_path):
    from helpers.agents import KINDS, agent
    from morphorl.integrations import onnx_export

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(SettingError, match=r"export --onnx: needs the extra 'onnx'"):
        onnx_export.to_onnx(agent(KINDS["plain"]), tmp_path / "agent.onnx")
    assert list(tmp_path.iterdir()) == []
