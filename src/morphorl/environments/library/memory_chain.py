"""bsuite's MemoryChain of any length: what was seen at an episode's start is asked for at its end."""

from gymnax.environments.bsuite.memory_chain import EnvParams, MemoryChain

from morphorl.environments.base import Environment
from morphorl.environments.from_gymnax import from_gymnax
from morphorl.environments.library.lengths import length_of

FORM = "MemoryChain-"
IDS = (f"{FORM}16", f"{FORM}64")


def make(env_id: str) -> Environment | None:
    """`MemoryChain-N` by gymnax: the cue of the first step is asked for N steps later; None for an id of another form.

    Observation: the share of the time that is left, the query (0), and the cue, ±1 in an episode's first observations
    and 0 ever after. Action: what the cue was, 0 or 1. Reward: +1 for the right answer at the end, −1 for the wrong
    one. Solved from .9, an agent that is right in 19 of 20 episodes.

    Source: Osband et al., "Behaviour suite for reinforcement learning", ICLR 2020.

    Raises:
        SettingError: where N is no whole number of at least 1.
    """
    if env_id == "MemoryChain-bsuite" or (length := length_of(env_id, FORM, "the chain")) is None:
        return None
    params = EnvParams(memory_length=length, max_steps_in_episode=length + 2)
    return from_gymnax(env_id, MemoryChain(), params, 0.9)
