"""The tasks of POPGym but navigation and its two board games, by the ids of the package `popgym`.

Rules, rewards, lengths and ends are those of popgym 1.0.7, whose recorded episodes the tests replay here. An
observation of popgym that is `Discrete`, `MultiDiscrete` or a `Tuple` of these is shown one-hot (`observations.py`).
A card is drawn when it is dealt, and no deck is shuffled (`cards.py`): the trainer draws a fresh start for every step,
so that a reset must be cheap.

popgym's baselines see the action before and whether an episode has just begun beside the observation; so does an
environment whose id ends in `+action` (`previous_action.py`).

Source: Morad et al., "POPGym: Benchmarking Partially Observable Reinforcement Learning", ICLR 2023, arXiv 2303.01859;
rules as in the package `popgym` 1.0.7.
"""
