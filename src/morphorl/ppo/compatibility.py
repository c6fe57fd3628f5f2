"""Which settings go together: every check that looks at more than one part of `Settings`, in one place.

A part checks itself (`fields.check`). What is refused here would train, but not what its settings say.
"""

from morphorl.config.errors import SettingError
from morphorl.dynamics.control import IN_PLACE_OF_CELL
from morphorl.dynamics.learned_parameters import POSITIVE
from morphorl.ppo.settings import CARTPOLES, Settings


def check_together(settings: Settings) -> None:
    """Raise `SettingError` for the first of a run's settings that does not go with the others."""
    _check_learned(settings)
    _check_environment(settings)
    _check_guidance(settings)
    _check_length(settings)


def _check_learned(settings: Settings) -> None:
    """Raise `SettingError` where a run has nothing that could be learned, or not exactly.

    The loss recomputes what the cells did, environment by environment: they must be cells, each on its own.
    """
    names = settings.learned.parameters
    if not names:
        return
    for what, value, allowed in (
        ("blend.kind", settings.blend.kind, ("average", "add")),
        ("blend.update", settings.blend.update, ("blended",)),  # from the network alone no gradient reaches the cell
        ("control.kind", settings.control.kind, ("none", "sticky")),
        ("cell.kind", settings.cell.kind, ("matrix",)),
        ("guidance.kind", settings.guidance.kind, ("none", "blind")),
        ("ppo.network", settings.ppo.network, ("mlp",)),
    ):
        if isinstance(value, str) and value not in allowed:
            words = " or ".join(map(repr, allowed))
            raise SettingError(f"{what} = {str(value)!r}: must be {words} where learned.parameters names some.")
    if settings.guidance.kind == "none" and "guidance.strength" in names:
        raise SettingError("guidance.kind = 'none': must be 'blind' where learned.parameters names guidance.strength.")
    if isinstance(settings.cell.population, int | float) and settings.cell.population:
        raise SettingError(
            f"cell.population = {settings.cell.population}: must be 0 where learned.parameters names some, whose "
            "minibatches are single environments."
        )
    if isinstance(settings.cell.redraw, int | float) and settings.cell.redraw:
        raise SettingError(
            f"cell.redraw = {settings.cell.redraw}: must be 0 where learned.parameters names some, whose loss restarts "
            "cells at the ends of episodes alone."
        )
    if settings.ppo.num_envs % settings.ppo.minibatches:
        raise SettingError(
            f"ppo.minibatches = {settings.ppo.minibatches}: must divide the {settings.ppo.num_envs} environments "
            "(ppo.num_envs) where learned.parameters names some, whose minibatches are whole sequences."
        )
    if "blend.weight" in names and isinstance(settings.blend.handover, int | float) and settings.blend.handover:
        raise SettingError(
            f"blend.handover = {settings.blend.handover}: must be 0 where learned.parameters names blend.weight."
        )
    for name in names:
        part, field = name.split(".")
        start = getattr(getattr(settings, part), field)
        if name in POSITIVE and isinstance(start, int | float) and start <= 0:
            raise SettingError(f"{name} = {start}: must be above 0 to be learned, which happens in log space.")


def _check_environment(settings: Settings) -> None:
    """Raise `SettingError` for an environment that does not exist, or one of Gymnasium's that lacks what is asked."""
    if settings.environment not in CARTPOLES:
        from morphorl.environments import registry  # imports gymnax, which takes seconds that planning can do without

        registry.make(settings.environment)
    if settings.environment.startswith("gym:"):
        check_gymnasium(settings)


def check_gymnasium(settings: Settings) -> None:
    """Raise `SettingError` for settings that need what the host's loop does not have."""
    needs = {
        "ppo.network": (settings.ppo.network, ("mlp",)),
        "guidance.kind": (settings.guidance.kind, ("none", "blind")),
        "control.kind": (settings.control.kind, ("none", "sign", *IN_PLACE_OF_CELL)),
    }
    if isinstance(settings.cell.redraw, float) and settings.cell.redraw:
        raise SettingError(
            f"cell.redraw = {settings.cell.redraw!r}: must be 0 for environments of Gymnasium's ('gym:'), whose loop "
            "draws patterns at the ends of episodes alone."
        )
    if isinstance(settings.blend.handover, float) and settings.blend.handover:
        raise SettingError(
            f"blend.handover = {settings.blend.handover!r}: must be 0 for environments of Gymnasium's ('gym:'), whose "
            "loop keeps the weight as it is."
        )
    if settings.learned.parameters:
        raise SettingError(
            f"learned.parameters = {settings.learned.parameters!r}: must be empty for environments of Gymnasium's "
            "('gym:'), since learning through time needs a program of the whole rollout."
        )
    for name, (value, allowed) in needs.items():
        if value not in allowed:
            told = ", ".join(map(repr, allowed))
            raise SettingError(f"{name} = {value!r}: must be one of {told} for environments of Gymnasium's ('gym:').")


def _check_guidance(settings: Settings) -> None:
    """Raise `SettingError` where a rule of guidance lacks what it needs."""
    if settings.guidance.knows_reward:
        _check_reward_reaches_the_cell(settings)
    if settings.guidance.kind == "win_stay" and settings.cell.reset != "redraw":
        raise SettingError(
            f"cell.reset = {settings.cell.reset!r}: must be 'redraw' where guidance.kind is 'win_stay', which draws a "
            "fresh pattern after a bad episode."
        )
    if settings.guidance.kind == "win_stay" and isinstance(settings.cell.redraw, int | float) and settings.cell.redraw:
        raise SettingError(
            f"cell.redraw = {settings.cell.redraw}: must be 0 where guidance.kind is 'win_stay', which decides at an "
            "episode's end whether a pattern stays."
        )
    if settings.guidance.knows_reward and settings.cell.kind == "field":
        raise SettingError(
            f"guidance.kind = {settings.guidance.kind!r}: must be 'none', 'blind' or 'adaptive' where cell.kind is "
            "'field'."
        )
    if settings.guidance.needs_value and settings.ppo.network == "gru":
        raise SettingError(
            f"guidance.kind = {settings.guidance.kind!r}: needs the value of single observations, and so ppo.network "
            "'mlp'."
        )


def _check_reward_reaches_the_cell(settings) -> None:
    """Raise `SettingError` where guidance that knows the reward could do nothing: it acts on a blended cell."""
    if settings.guidance.signal != "td_error" and not settings.guidance.needs_value:
        raise SettingError(
            f"guidance.signal = {settings.guidance.signal!r}: must be 'td_error' where guidance.kind is "
            f"{settings.guidance.kind!r}, which has no use for a TD error."
        )
    if settings.guidance.signal == "shuffled" and settings.ppo.num_envs == 1:
        raise SettingError(
            "guidance.signal = 'shuffled': must be 'td_error' or 'constant' where ppo.num_envs is 1; without a "
            "neighbour the control would get the signal itsettings."
        )
    for name, value, allowed in (
        ("blend.kind", settings.blend.kind, ("average", "add")),
        ("control.kind", settings.control.kind, ("none", "sign", "sticky")),
        ("memory.kind", settings.memory.kind, ("none", "previous", "reservoir")),
    ):
        if isinstance(value, str) and value not in allowed:
            raise SettingError(
                f"{name} = {value!r}: must be one of {', '.join(map(repr, allowed))} where guidance.kind is "
                f"{settings.guidance.kind!r}, whose signal reaches no other cell."
            )


def _check_length(settings: Settings) -> None:
    """Raise `SettingError` for a run that is too short for what it asks."""
    if 0 < settings.ppo.anneal_steps < settings.steps:
        raise SettingError(
            f"ppo.anneal_steps = {settings.ppo.anneal_steps}: must be 0, or at least the run's steps "
            f"({settings.steps})."
        )
    if settings.steps < settings.ppo.batch:
        raise SettingError(
            f"steps = {settings.steps}: must be at least one rollout of {settings.ppo.batch} environment steps "
            f"(ppo.num_envs {settings.ppo.num_envs} × ppo.rollout_steps {settings.ppo.rollout_steps})."
        )
