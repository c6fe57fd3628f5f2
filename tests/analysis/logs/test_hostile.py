"""Files that mean harm, or are only broken: a sentence each, and neither code run nor memory filled."""

import os
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from helpers import logs
from morphorl.analysis.logs import finding, tables
from morphorl.analysis.logs.runs import load
from morphorl.config.errors import SettingError, StoreError


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["evaluations.npz", "ppo.npz"])
def test_pickled_arrays_are_refused_without_being_loaded(tmp_path, name):
    hidden = np.array([Bomb()], dtype=object)
    np.savez(tmp_path / name, timesteps=hidden, results=np.ones((1, 1)), steps=hidden, returns=np.ones(1))
    with pytest.raises(StoreError, match=r"holds pickled Python objects.*Nothing was loaded"):
        load([tmp_path])
    assert not (tmp_path / "exploded").exists()
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("steps.npy", pickle.dumps(Bomb()))
        archive.writestr("timesteps.npy", pickle.dumps(Bomb()))
    with pytest.raises(StoreError, match="is no NPZ file, or a damaged one"):
        load([tmp_path])
    assert not (tmp_path / "exploded").exists()


def test_an_array_that_claims_more_than_the_file_has_is_refused_before_it_is_made(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("steps.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(StoreError, match="claims more numbers than the file has"):
        load([tmp_path])


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("morphorl.analysis.logs.arrays.MOST_BYTES", 1_000_000)
    np.savez_compressed(tmp_path / "a.npz", steps=np.zeros(10**6), returns=np.zeros(10**6))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    with pytest.raises(StoreError, match="unpacks to"):
        load([tmp_path])


@pytest.mark.parametrize("name", ["all.csv", "monitor.csv", "progress.csv", "result.json", "evaluations.npz", "a.npz"])
def test_a_sparse_file_of_five_gigabytes_is_refused_in_no_memory(tmp_path, name):
    head = {"monitor.csv": b'#{"t_start": 1}\nr,l,t\n', "result.json": b"{"}.get(name, b"step,return\n")
    with (tmp_path / name).open("wb") as file:
        file.write(head)
        file.truncate(5_000_000_000)
    tracemalloc.start()
    with pytest.raises(StoreError, match=r"has 5\.0 GB; must be at most 1 GB"):
        load([tmp_path])
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_an_event_file_of_zeros_says_where_it_is_damaged_or_that_it_has_nothing(tmp_path):
    pytest.importorskip("tensorboardX")
    with (tmp_path / "events.out.tfevents.1.h").open("wb") as file:
        file.truncate(5_000_000_000)
    with pytest.raises(SettingError, match="which scalar"):
        load([tmp_path])


def test_a_table_of_ten_million_columns_is_refused_by_its_first_megabyte(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_bytes(b",".join([b"a"] * 10**7))
    tracemalloc.start()
    with pytest.raises(StoreError, match="its first line has more than 1,000,000 bytes"):
        load([path])
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_table_of_many_columns_is_read_by_those_that_count(tmp_path):
    names = [f"c{i}" for i in range(50_000)]
    (tmp_path / "wide.csv").write_text(",".join([*names, "step", "return"]) + "\n" + "0," * 50_000 + "1,2\n")
    assert tables.read(tmp_path / "wide.csv", ["step", "return"]).rows() == [(1.0, 2.0)]


def test_formulas_are_text_and_no_numbers(tmp_path):
    (tmp_path / "all.csv").write_text('step,return,seed,arm\n1,"=HYPERLINK(""http://x"")",0,ppo\n')
    with pytest.raises(StoreError, match=r"column 'return' has '=HYPERLINK.*' in row 1; must be numbers"):
        load([tmp_path / "all.csv"])
    (tmp_path / "all.csv").write_text("step,return,seed,arm\n1,2,0,=1+1\n")
    assert load([tmp_path / "all.csv"]).reading.runs[0].arm == "=1+1"


def test_links_that_lead_out_are_refused_and_loops_are_walked_once(tmp_path):
    root, outside = tmp_path / "logs", tmp_path / "outside"
    logs.monitor(root / "ppo" / "seed_0", [1.0], [10])
    logs.monitor(outside / "seed_1", [1.0], [10])
    (root / "ppo" / "loop").symlink_to(root, target_is_directory=True)
    (root / "ppo" / "self").symlink_to("self")
    assert len(load([root]).reading.runs) == 1
    (root / "ppo" / "seed_1").symlink_to(outside / "seed_1", target_is_directory=True)
    with pytest.raises(StoreError, match=r"seed_1: is a link that leads out of"):
        load([root])
    (root / "ppo" / "seed_1").unlink()
    (root / "ppo" / "monitor.csv").symlink_to(outside / "seed_1" / "monitor.csv")
    with pytest.raises(StoreError, match=r"monitor\.csv: is a link that leads out of"):
        load([root])


def test_pipes_and_hidden_folders_are_passed_over(tmp_path):
    logs.monitor(tmp_path / "ppo" / "seed_0", [1.0], [10])
    os.mkfifo(tmp_path / "ppo" / "progress.csv")
    logs.monitor(tmp_path / ".git" / "seed_1", [1.0], [10])
    assert len(load([tmp_path]).reading.runs) == 1


def test_more_files_than_anybody_would_compare_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "MOST_FILES", 3)
    for i in range(5):
        (tmp_path / f"{i}.txt").touch()
    with pytest.raises(SettingError, match="holds more than 3 files"):
        load([tmp_path])


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "[bold red]x[/]", "a\x1b[31mb", "x" * 600])
def test_a_label_is_text_or_is_refused(tmp_path, label):
    (tmp_path / "all.csv").write_bytes(f'step,return,seed,arm\n1,2,0,"{label}"\n'.encode())
    if "\x1b" in label or len(label) > 500:
        with pytest.raises(SettingError, match="must be a label of"):
            load([tmp_path / "all.csv"])
    else:
        assert load([tmp_path / "all.csv"]).reading.runs[0].arm == label


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("all.csv", b"\xff\xfe\x00step"),
        ("all.csv", b""),
        ("all.parquet", b"PAR1nothing"),
        ("monitor.csv", b'#{"t_start": "soon"}\nr,l,t\n1,2,3\n'),
        ("monitor.csv", b"#{broken\nr,l,t\n1,2,3\n"),
        ("evaluations.npz", b"PK\x03\x04 and then nothing"),
        ("evaluations.npz", b""),
    ],
)
def test_what_is_broken_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((SettingError, StoreError), match=name.replace(".", r"\.")):
        load([tmp_path])
