"""The three difficulties of a POPGym task, by popgym's own ids."""


def levels[Setting](task: str, easy: Setting, medium: Setting, hard: Setting) -> dict[str, Setting]:
    """What sets a task's difficulty, by the ids `popgym-TASKEasy-v0`, `popgym-TASKMedium-v0`, `popgym-TASKHard-v0`."""
    return {f"popgym-{task}{name}-v0": value for name, value in (("Easy", easy), ("Medium", medium), ("Hard", hard))}
