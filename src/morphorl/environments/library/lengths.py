"""Ids that end in a length: `TMaze-10`, `MemoryChain-64`."""

from morphorl.config.errors import SettingError


def length_of(env_id: str, form: str, what: str, least: int = 1) -> int | None:
    """The length in an id that begins with `form`; None for any other id.

    Args:
        form: such as `TMaze-`.
        what: what has that length, for the message.
        least: the smallest length there may be.

    Raises:
        SettingError: where it is no whole number of at least `least`.
    """
    if not env_id.startswith(form):
        return None
    length = env_id.removeprefix(form)
    if not (length.isdecimal() and length.isascii() and length[0] != "0" and int(length) >= least):
        raise SettingError(
            f"environment = {env_id!r}: {what} is {length!r} steps long; must be a whole number of at least {least}, "
            f"as in {form}10."
        )
    return int(length)
