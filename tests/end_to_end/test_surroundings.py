"""What surrounds a command, its variables, its output and its disk, is answered in one sentence too."""

import errno
import os
import re
import subprocess
import sys

import pytest

from morphorl.config.errors import SettingError
from morphorl.config.files import write_json
from morphorl.config.jax_environment import refusing_wrong_variables

MORPHORL = [sys.executable, "-m", "morphorl"]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        *(
            ("JAX_NUM_CPU_DEVICES", value, "a whole number from 1 to 9999")
            for value in ("abc", "0", "-1", "²", "9" * 99)
        ),
        ("XLA_FLAGS", "--nonsense", "flags that XLA knows"),
    ],
)
def test_a_wrong_variable_is_refused_by_name_before_jax_reads_it(name, value, allowed, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=f"^{name} = {value!r}: must be {allowed}"), refusing_wrong_variables():
        raise AssertionError("JAX was started")


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("JAX_PLATFORMS", "nonsense", "JAX_PLATFORMS = 'nonsense': must be a platform that JAX can use here"),
        ("JAX_PLATFORMS", "cuda", "JAX_PLATFORMS = 'cuda': must be a platform that JAX can use here"),
        ("JAX_ENABLE_X64", "maybe", "'maybe' for environment 'JAX_ENABLE_X64': must be a value that JAX takes"),
    ],
)
def test_a_command_refuses_a_platform_that_is_not_here(command, name, value, said, tmp_path):
    ran = run([command, "recurrent"], tmp_path, {name: value})
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert ran.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["studies"], ["plan", "readings"], ["--help"], ["plan", "γ"]])
@pytest.mark.parametrize(
    "encoding",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["ascii", "the locale C"],
)
def test_what_an_encoding_lacks_is_shown_in_another_way(arguments, encoding, tmp_path):
    ran = run(arguments, tmp_path, encoding)
    assert ran.returncode == (2 if "γ" in arguments else 0)
    assert "Traceback" not in ran.stderr
    assert re.search(r"\\(u|x)[0-9a-f]|\?", ran.stdout + ran.stderr)  # `?` where the width is settled before


def test_who_has_read_enough_may_close_the_pipe(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*MORPHORL, "studies"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert ran.stderr == ""
    assert ran.returncode in (1, 141)


def test_output_that_cannot_be_written_is_an_error_in_a_sentence(tmp_path):
    with open("/dev/full", "w") as full:
        ran = subprocess.run([*MORPHORL, "studies"], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: [Errno 28] No space left on device (on the standard output")


def test_a_full_disk_is_named_with_the_file_that_found_it(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/agents.json'"):
        write_json(tmp_path / "agents.json", {})
    assert list(tmp_path.iterdir()) == []


def run(arguments, folder, environment):
    return subprocess.run(
        [*MORPHORL, *arguments], cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
