"""JSON files: results without what JSON lacks, settings as they are, and any text."""

import json
import math

import numpy as np

from morphorl.config.files import finite_or_none, write_json


def test_what_json_lacks_is_null_however_deep_it_lies():
    content = {"a": [1.5, math.nan, {"b": (math.inf, -math.inf, 2)}], "c": np.float64("nan"), "d": "NaN", "e": True}
    assert finite_or_none(content) == {"a": [1.5, None, {"b": [None, None, 2]}], "c": None, "d": "NaN", "e": True}


def test_what_is_written_is_read_again(tmp_path):
    content = {"γ = 0": math.inf, "half of a pair": "\udc80", "\x7f": [1e-300, "<&>"]}
    write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert "γ = 0" in (tmp_path / "a.json").read_text("utf-8")
