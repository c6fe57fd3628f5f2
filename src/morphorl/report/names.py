"""Names of files from names of others."""

import re


def file_name(environment: str) -> str:
    """A short file name for an environment: `StatelessCartPole-v1` becomes `stateless_cartpole`.

    Its letters, digits and `_` alone: ids of Gymnasium's may have `/`, dots and colons too.
    """
    short = re.sub(r"-v\d+(?=\+|$)", "", environment).replace("CartPole", "Cartpole")
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in short).lower()
    return re.sub(r"\W+", "_", words.replace("-", "")).strip("_") or "environment"
