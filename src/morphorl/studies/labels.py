"""What an arm may be called: what every table, plot and file can show."""

import json
import re

from morphorl.config.errors import SettingError, quoted, shortened

LONGEST_LABEL = 500
"""Characters of an arm's label, before its settings' values are put in."""
NOT_IN_LABELS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Line breaks and other control characters."""


def refuse_label(label: object) -> None:
    """Raise `SettingError` for a label that no table, plot or file could show."""
    if not isinstance(label, str) or not label.strip():
        raise SettingError(f"arms.{quoted(label)}: must be a label of one character or more.")
    if len(label) > LONGEST_LABEL:
        raise SettingError(f"arms.{quoted_label(label)}: must be a label of at most {LONGEST_LABEL} characters.")
    if NOT_IN_LABELS.search(label):
        raise SettingError(f"arms.{quoted_label(label)}: must be a label of one line, without control characters.")


def quoted_label(label: str) -> str:
    """A label for an error message."""
    return json.dumps(shortened(label), ensure_ascii=False)
