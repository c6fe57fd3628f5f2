"""Settings that do not go together: every refusal that looks at more than one table."""

import jax

from morphorl.config.errors import SettingError, did_you_mean
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.base import Eligible, RewardAware, Surprised
from morphorl.dynamics.learned_parameters import learnable, space_of
from morphorl.dynamics.properties import constants_depend_on, exchanges, guided_states, reads_out_what_it_guides
from morphorl.environments.base import CARTPOLES, is_host
from morphorl.ppo.settings import Settings


def check_together(settings: Settings) -> None:
    """Raise `SettingError` for the first two settings of a run that do not go together; the message names both."""
    _check_environment(settings)
    _check_steps(settings)
    _check_slots(settings)
    _check_guidance(settings)
    if settings.learned.parameters:
        _check_learned(settings)


def _check_environment(settings: Settings) -> None:
    """An environment must exist, and one of Gymnasium's has not all that ours have."""
    if settings.environment not in CARTPOLES:
        from morphorl.environments import registry  # imports gymnax, which takes seconds that planning can do without

        registry.make_env(settings.environment)
    if is_host(settings.environment):
        check_host(settings)
    if settings.ppo.network == "cnn":
        _check_picture(settings)


def _check_picture(settings: Settings) -> None:
    """A convolution needs a picture, and nothing that changes what the networks see."""
    from morphorl.environments import registry

    if registry.make_env(settings.environment).picture is None:
        raise SettingError(
            "ppo.network = 'cnn': must be 'mlp', 'gru' or 'lru' in an environment that shows a vector, as "
            f"{settings.environment} does."
        )
    if settings.memory.kind != "none":
        raise SettingError(
            f"memory.kind = {settings.memory.kind!r}: must be 'none' where ppo.network is 'cnn', which sees pictures."
        )
    if settings.ppo.skip:
        raise SettingError("ppo.skip = true: must be false where ppo.network is 'cnn'.")


def _check_steps(settings: Settings) -> None:
    ppo = settings.ppo
    if 0 < ppo.anneal_steps < settings.steps:
        raise SettingError(
            f"ppo.anneal_steps = {ppo.anneal_steps}: must be 0, or at least the run's steps ({settings.steps})."
        )
    if settings.steps < ppo.batch:
        raise SettingError(
            f"steps = {settings.steps}: must be at least one rollout of {ppo.batch} environment steps "
            f"(ppo.num_envs {ppo.num_envs} × ppo.rollout_steps {ppo.rollout_steps})."
        )


def _check_slots(settings: Settings) -> None:
    """A blended system needs a readout; one that is seen, what a memory inside an environment can have."""
    dynamics, memory = settings.dynamics, settings.memory
    if settings.blend.kind != "none" and not dynamics.is_readable:
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: has no readout to be blended; must be one with a method `read`, or "
            f"set blend.kind = 'none', or memory.kind = {dynamics.kind!r} to let the networks see it."
        )
    if memory.sees != "observation" or type(memory).noise is not Dynamics.noise:
        raise SettingError(
            f"memory.kind = {memory.kind!r}: must be a system that needs the observation alone, and no random numbers."
        )
    if memory.reset != "episode":
        raise SettingError(
            f"memory.reset = {memory.reset!r}: must be 'episode'; a memory starts afresh with every episode's first "
            "observation."
        )
    if _is_plain(memory) and exchanges(memory):
        raise SettingError(
            f"memory.kind = {memory.kind!r}: must be a system whose `exchange` leaves states as they are; a memory "
            "knows of no other environment."
        )
    if memory.normalise:
        raise SettingError("memory.normalise = true: must be false; a memory sees what the environment shows.")


def _check_guidance(settings: Settings) -> None:
    guidance, dynamics = settings.guidance, settings.dynamics
    if guidance.acts_on and isinstance(dynamics.kind, str) and dynamics.kind not in guidance.acts_on:
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: must be {', '.join(map(repr, sorted(guidance.acts_on)))} where "
            f"guidance.kind is {guidance.kind!r}, whose rule is for that system alone."
        )
    if guidance.decides and dynamics.reset != "redraw":
        raise SettingError(
            f"dynamics.reset = {dynamics.reset!r}: must be 'redraw' where guidance.kind is {guidance.kind!r}, which "
            "draws a fresh pattern after a bad episode."
        )
    if guidance.decides and isinstance(dynamics.redraw, int | float) and dynamics.redraw:
        raise SettingError(
            f"dynamics.redraw = {dynamics.redraw}: must be 0 where guidance.kind is {guidance.kind!r}, which decides "
            "at an episode's end whether a pattern stays."
        )
    if not guidance.knows_reward:
        return
    if not isinstance(guidance, RewardAware):
        raise SettingError(
            f"guidance.kind = {guidance.kind!r}: a rule that needs {', '.join(sorted(guidance.needs))} must derive "
            "from RewardAware, whose settings say by which ways it may know the reward."
        )
    if guidance.needs_value and settings.ppo.is_recurrent:
        raise SettingError(
            f"ppo.network = {settings.ppo.network!r}: must be 'mlp' where guidance.kind is {guidance.kind!r}, which "
            "needs the value of single observations."
        )
    if isinstance(guidance, Surprised) and guidance.signal == "shuffled" and settings.ppo.num_envs == 1:
        raise SettingError(
            "guidance.signal = 'shuffled': must be 'td_error' or 'constant' where ppo.num_envs is 1; without a "
            "neighbour the control would get the signal itself."
        )
    _check_reward_reaches_a_state(settings)


def _check_reward_reaches_a_state(settings: Settings) -> None:
    """Guidance that knows the reward acts on a blended system that asks for guidance, and on nothing else."""
    guidance, dynamics, memory = settings.guidance, settings.dynamics, settings.memory
    if isinstance(settings.blend.kind, str) and settings.blend.kind not in ("average", "add"):
        raise SettingError(
            f"blend.kind = {settings.blend.kind!r}: must be one of 'average', 'add' where guidance.kind is "
            f"{guidance.kind!r}, whose signal reaches no other system than a blended one."
        )
    if _is_plain(dynamics) and not guided_states(dynamics):
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: must be a system whose step calls `guide` where guidance.kind is "
            f"{guidance.kind!r}."
        )
    if isinstance(guidance, Eligible) and _is_plain(dynamics) and not any(guided_states(dynamics)):
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: must be a system that calls `guide(u, read=True)` for a state with an "
            f"entry for each feature and action where guidance.kind is {guidance.kind!r}."
        )
    if isinstance(guidance, Eligible) and _is_plain(dynamics) and not reads_out_what_it_guides(dynamics):
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: must read out observation @ u, u being the state that it calls "
            f"`guide(u, read=True)` for, where guidance.kind is {guidance.kind!r}, whose traces take that for granted; "
            "with these settings it does not."
        )
    if _is_plain(memory) and guided_states(memory):
        raise SettingError(
            f"memory.kind = {memory.kind!r}: must be one that is not guided where guidance.kind is {guidance.kind!r}, "
            "whose signal reaches no other system than the blended one."
        )


def _check_learned(settings: Settings) -> None:
    """The loss recomputes what the systems did, environment by environment: each must be on its own, without chance."""
    names, dynamics, guidance = settings.learned.parameters, settings.dynamics, settings.guidance
    for what, value, allowed in (
        ("blend.kind", settings.blend.kind, ("average", "add")),
        ("blend.update", settings.blend.update, ("blended",)),  # from the network alone no gradient reaches the system
        ("ppo.network", settings.ppo.network, ("mlp",)),
    ):
        if isinstance(value, str) and value not in allowed:
            words = " or ".join(map(repr, allowed))
            raise SettingError(f"{what} = {str(value)!r}: must be {words} where learned.parameters names some.")
    if guidance.needs:
        raise SettingError(
            f"guidance.kind = {guidance.kind!r}: must be 'none' or 'blind' where learned.parameters names some."
        )
    if type(dynamics).noise is not Dynamics.noise or dynamics.sees != "observation":
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: must be a system that needs the observation alone, and no random "
            "numbers, where learned.parameters names some."
        )
    known = learnable(settings)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise SettingError(f"learned.parameters = {name!r}: must be one of {', '.join(known)}.{hint}")
    if guidance.kind == "none" and "guidance.strength" in names:
        raise SettingError("guidance.kind = 'none': must be 'blind' where learned.parameters names guidance.strength.")
    memory = settings.memory
    if "guidance.strength" in names and _is_plain(memory) and guided_states(memory):
        raise SettingError(
            f"memory.kind = {memory.kind!r}: must be one that is not guided where learned.parameters names "
            "guidance.strength, whose learned value reaches the blended system alone."
        )
    if isinstance(dynamics.redraw, int | float) and dynamics.redraw:
        raise SettingError(
            f"dynamics.redraw = {dynamics.redraw}: must be 0 where learned.parameters names some, whose loss restarts "
            "systems at the ends of episodes alone."
        )
    if _is_plain(dynamics) and exchanges(dynamics):
        raise SettingError(
            f"dynamics.kind = {dynamics.kind!r}: must be a system whose `exchange` leaves states as they are where "
            "learned.parameters names some, whose minibatches are single environments."
        )
    fixed = constants_depend_on(dynamics) if _is_plain(dynamics) else ()
    moving = [name for name in names if name.removeprefix("dynamics.") in fixed]
    if moving:
        raise SettingError(
            f"learned.parameters = {moving[0]!r}: must be a number on which no constant of the system depends; "
            "constants are drawn once a run, and would not follow what is learned."
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
        module = getattr(settings, part)
        start = getattr(module, field)
        if space_of(module, field) == "log" and isinstance(start, int | float) and start <= 0:
            raise SettingError(f"{name} = {start}: must be above 0 to be learned, which happens in log space.")


def _is_plain(dynamics: Dynamics) -> bool:
    """Whether a system's settings are numbers still, and no arrays of a program."""
    return all(isinstance(leaf, int | float) for leaf in jax.tree.leaves(dynamics))


def check_host(settings: Settings) -> None:
    """What the loop around Gymnasium's environments does not have."""
    here = "for environments of Gymnasium's ('gym:')"
    if settings.ppo.network != "mlp":
        raise SettingError(f"ppo.network = {settings.ppo.network!r}: must be 'mlp' {here}.")
    if settings.guidance.needs and _is_plain(settings.memory) and guided_states(settings.memory):
        raise SettingError(
            f"memory.kind = {settings.memory.kind!r}: must be one that is not guided where guidance.kind is "
            f"{settings.guidance.kind!r} {here}, where the strength of what guides a memory cannot change."
        )
    if settings.task.sticky:
        raise SettingError(f"task.sticky = true: must be false {here}.")
    if isinstance(settings.dynamics.redraw, int | float) and settings.dynamics.redraw:
        raise SettingError(
            f"dynamics.redraw = {settings.dynamics.redraw!r}: must be 0 {here}, whose loop draws patterns at the "
            "ends of episodes alone."
        )
    if settings.learned.parameters:
        raise SettingError(
            f"learned.parameters = {settings.learned.parameters!r}: must be empty {here}, since learning through time "
            "needs a program of the whole rollout."
        )
