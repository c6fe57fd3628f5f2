"""Messages: short whatever was given, and with the value and what is allowed at their ends."""

import pickle

import pytest

from morphorl.config.errors import LONGEST_MESSAGE, SettingError, StoreError, did_you_mean, quoted

HUGE = "x" * 50_000


@pytest.mark.parametrize("kind", [SettingError, StoreError])
def test_the_middle_of_a_long_message_is_left_out(kind):
    message = str(kind(f"name = {HUGE!r}: must be something else."))
    assert len(message) <= LONGEST_MESSAGE
    assert message.startswith("name = 'xxx")
    assert message.endswith("must be something else.")
    assert "(50,034 characters)" in message
    assert str(pickle.loads(pickle.dumps(kind("a = 1: must be 2.")))) == "a = 1: must be 2."


def test_a_value_is_quoted_shortly_and_one_that_python_cannot_write_is_described():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    assert quoted(HUGE) == repr(f"{'x' * 60}… (50000 characters)")
    assert quoted([1, "a"]) == "[1, 'a']"
    assert quoted(16**5_000) == "a int too large to be written out"
    assert quoted(nested) == "a list too large to be written out"


def test_the_nearest_name_is_looked_for_among_and_in_huge_texts_too():
    assert did_you_mean(HUGE, [HUGE + str(k) for k in range(3_000)]) == ""
    assert did_you_mean("x" * 90, [HUGE[:95] + str(k) for k in range(30_000)]).startswith(" Did you mean")
    assert did_you_mean(16**5_000, ["a"]) == ""
