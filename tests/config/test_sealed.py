"""Sealed files: each change of their content is noticed, and what is not a file is not read."""

import json
import os

import polars as pl
import pytest

from morphorl.config.errors import StoreError
from morphorl.config.sealed import read_sealed_json, read_sealed_table, write_sealed_json, write_sealed_table

TABLE = pl.DataFrame({"arm": ["γ = 0", "plain"], "return": [1.5, None], "steps": [3, 4]})
CONTENT = {"arms": {"γ = 0": {"bound": float("inf")}}, "seeds": [1, 2], "scale": 0.1, "half of a pair": "\ud800"}


def flipped(path, read, stride):
    """What reading gives for flips of one bit, every so many bits: nothing where it is refused."""
    whole = path.read_bytes()
    for i in range(0, 8 * len(whole), stride):
        changed = bytearray(whole)
        changed[i // 8] ^= 1 << (i % 8)
        path.write_bytes(changed)
        try:
            yield read(path)
        except StoreError:
            yield None


def test_each_flip_of_a_bit_of_a_table_is_noticed(tmp_path):
    path = tmp_path / "table.parquet"
    write_sealed_table(path, TABLE)
    assert read_sealed_table(path).equals(TABLE)
    assert pl.read_parquet(path).equals(TABLE)  # any reader of Parquet will do
    assert set(flipped(path, read_sealed_table, 11)) == {None}


def test_a_flip_of_a_bit_of_json_is_noticed_or_changes_nothing_but_white_space(tmp_path):
    path = tmp_path / "content.json"
    write_sealed_json(path, CONTENT)
    assert read_sealed_json(path) == CONTENT
    assert all(found in (None, CONTENT) for found in flipped(path, read_sealed_json, 1))


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, '{"a": 1}', '{"a": 1, "checksum": "0"}', "\xff"])
def test_what_was_not_sealed_is_refused_in_a_sentence(tmp_path, text):
    path = tmp_path / "content.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError, match=r"content\.json: is damaged.*\.$"):
        read_sealed_json(path)
    with pytest.raises(StoreError, match=r"content\.json: is damaged.*\.$"):
        read_sealed_table(path)


def test_the_order_counts_and_the_layout_does_not(tmp_path):
    path = tmp_path / "content.json"
    write_sealed_json(path, {"a": 1, "b": 2})
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content))
    assert read_sealed_json(path) == {"a": 1, "b": 2}
    path.write_text(json.dumps({name: content[name] for name in ("b", "a", "checksum")}))
    with pytest.raises(StoreError, match="or was edited"):
        read_sealed_json(path)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)], ids=["pipe", "device"])
@pytest.mark.parametrize("read", [read_sealed_json, read_sealed_table])
def test_pipes_and_devices_are_not_read_for_ever(tmp_path, make, read):
    make(tmp_path / "file")
    with pytest.raises(StoreError, match="must be a file, and is something else"):
        read(tmp_path / "file")
