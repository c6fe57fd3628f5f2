"""TOML as settings take it: what TOML has beside is refused in a sentence, and soon."""

import pytest

from morphorl.config.errors import SettingError
from morphorl.config.toml_tables import NotTOMLError, parse

REFUSED = {
    "a date": ("a.b = 1979-05-27", r"^a\.b = 1979-05-27: must be text, a number, true or false; no date"),
    "a time": ("a = [[07:32:00]]", "^a = 07:32:00: must be text"),
    "a date and time": ("a = {b = 1979-05-27T07:32:00Z}", r"^a\.b = 1979-05-27 07:32:00\+00:00: must be text"),
    "thousands of digits": (f"a = {'9' * 5_000}", "whole number of more than 64 bits"),
    "thousands of hexadecimal digits": (f"a = 0x{'f' * 5_000}", "a = a int too large.*must be a whole number of 64"),
    "65 bits": (f"a = [{2**63}]", "a = 9223372036854775808: must be a whole number of 64 bits"),
    "a number above all": ("a = 1e400", "1e400: must be a number below 1.8e308, or inf"),
    "deep lists": (f"a = {'[' * 100_000}", "must be at most 20 deep in one another"),
    "deeper lists than 20": (f"a = {'[' * 25}{']' * 25}", "^a: tables and lists must be at most 20 deep"),
    "a key of many parts": (f"a{'.a' * 400_000} = 1", "must be at most 20 deep in one another"),
    "a header of many parts": (f"[a{' . a' * 100_000}]", "must be at most 20 deep in one another"),
    "a key of quoted parts": (f"a{'''."a"''' * 400_000} = 1", "must be at most 20 deep in one another"),
    "a key of 25 parts": (f"a{'.a' * 25} = 1", r"must be at most 20 deep in one another"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_settings_have_not_is_refused(text, message):
    with pytest.raises(SettingError, match=message):
        parse(text)


@pytest.mark.parametrize("text", ["a = = 1", "a", "\0"])
def test_what_is_no_toml_is_called_so(text):
    with pytest.raises(NotTOMLError, match=r"^is not TOML: "):
        parse(text)


def test_what_settings_have_is_taken():
    text = f'a.b.c = [1.5, -inf]\nd = "1.2.3"\ne = [{", ".join(["0.1"] * 1_000)}]\nf = {2**63 - 1}\n"γ {{x.y}}" = true'
    assert parse(text) == {
        "a": {"b": {"c": [1.5, -float("inf")]}},
        "d": "1.2.3",
        "e": [0.1] * 1_000,
        "f": 2**63 - 1,
        "γ {x.y}": True,
    }
    assert parse("x = '" + "a" * 900_000 + "'")["x"] == "a" * 900_000
