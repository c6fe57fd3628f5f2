"""Reward-aware guidance: the formulas, what it may know and when, and probes on which it must win or stay put."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import compiled
from helpers.probes import CONSTANT_VALUE, OBSERVATION_DEPENDENT_ACTION, probe
from morphorl.config.errors import SettingError
from morphorl.config.plain import from_dict
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.fast_weights import FastWeights
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.adaptive import Adaptive
from morphorl.dynamics.guidance.base import Performance, Signal
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.stabilise import Stabilise
from morphorl.dynamics.guidance.three_factor import ThreeFactor
from morphorl.dynamics.guidance.win_stay import WinStay
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.previous_observation import PreviousObservation
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion
from morphorl.dynamics.sign_flipped import SignFlipped
from morphorl.ppo import losses, reward_signals, rollout, schedules, task, training
from morphorl.ppo.settings import PPO, Settings

SMALL = PPO(num_envs=4, rollout_steps=32, hidden=(8,))
STILL = ReactionDiffusion(
    activator_diffusion=0.0,
    inhibitor_diffusion=0.0,
    activator_production=0.0,
    inhibitor_production=0.0,
    activator_decay=0.0,
    inhibitor_decay=0.0,
    initial_scale=0.0,
    reset="never",
    bound=np.inf,
)
"""A cell in which nothing happens but guidance."""
THREE = ThreeFactor(strength=0.05, trace_decay=0.8, caution=0.0)
PROBE = probe("rewarded by the clock", 2, 7, lambda t, c: jnp.stack([t / 7, c]), lambda t, c, a: t * c)


def acted(settings, env=PROBE, agent_performance=None):
    """A fresh run's state, and its first rollout."""
    state = compiled.init(settings, env, jnp.array(0), jnp.array(0))
    if agent_performance is not None:
        state = state._replace(agent=replace(state.agent, performance=agent_performance))
    env = task.around(settings, env)
    randomness = compiled.draw(settings, env, jax.random.key(3))
    return state, *compiled.collect(settings, env, state.agent, state.rollout_state, randomness)


def aware(guidance, cell=STILL, ppo=SMALL, blend=Blend("add", 1.0), **more):  # noqa: B008
    return Settings(
        "CartPole-v1", 512, evaluate_every=0, ppo=ppo, dynamics=cell, guidance=guidance, blend=blend, **more
    )


# --- Formulas ---------------------------------------------------------------------------------------------------------

U = jnp.array([[0.5, -2.0], [0.0, 3.0]])


def test_modulated_guidance_amplifies_after_a_good_surprise_and_weakens_after_a_bad_one():
    rule = Modulated(strength=0.3, sensitivity=2.0)
    for surprise in (-1.0, 0.0, 0.4):
        expected = 0.3 * np.tanh(2 * surprise) * np.sign(U)
        assert_allclose(rule(U, Signal(jnp.array(surprise))), expected, rtol=1e-5)


def test_three_factors_multiply():
    eligibility = jnp.array([[1.0, -1.0], [0.2, -0.2]])
    signal = Signal(jnp.array(-1.5), eligibility)
    assert_allclose(THREE(U, signal, read=True), 0.05 * -1.5 * eligibility, rtol=1e-6)
    assert_array_equal(THREE(U, signal), 0)  # the inhibitor is not read out


@pytest.mark.parametrize("kind", [Modulated, Stabilise, WinStay, ThreeFactor])
def test_without_a_signal_reward_aware_guidance_does_nothing(kind):
    assert_array_equal(kind(strength=1.0)(U, read=True), 0)


def test_a_population_moves_towards_the_fitter_patterns():
    states = ActivatorInhibitor(jnp.arange(6.0).reshape(1, 2, 3), jnp.zeros((1, 2, 3)))
    weights = jnp.array([0.0, 0.0, 1.0])
    moved = ReactionDiffusion(population=0.5).exchange(states, weights).activator
    assert_allclose(moved, (states.activator + states.activator[..., 2:]) / 2)
    fitness = reward_signals.weights(jnp.array([10.0, 20.0, 20.0]))
    assert fitness[0] < fitness[1] == fitness[2]
    assert fitness.sum() == pytest.approx(1)


# --- What is known, and when ------------------------------------------------------------------------------------------


def test_the_td_error_is_that_of_the_step_before_and_0_where_an_episode_was_cut_off():
    cut = PROBE._replace(step=lambda *a: _truncate(PROBE.step(*a)))
    for env, ended in ((PROBE, "terminated"), (cut, "truncated")):
        state, _, seen = acted(aware(THREE), env)
        value = np.array([state.agent.critic(x)[0] for x in seen.observation])
        done = np.asarray(getattr(seen, ended))
        assert done.sum() > 8
        delta = seen.reward[:-1] + SMALL.discount * value[1:] * ~np.asarray(seen.terminated[:-1]) - value[:-1]
        assert_allclose(seen.td_error[1:], np.where(np.asarray(seen.truncated[:-1]), 0, delta), atol=1e-5)
        assert_array_equal(seen.td_error[0], 0)


def _truncate(after):
    return after._replace(terminated=jnp.array(False), truncated=after.terminated)


@pytest.mark.parametrize("system", [STILL, FastWeights(reset="never")], ids=["the observation", "the hidden layer"])
def test_what_is_read_out_is_the_sum_over_steps_of_rate_surprise_and_trace(system):
    state, rollout_state, seen = acted(aware(THREE, system))
    hidden = system.sees == "hidden"
    shown = jax.vmap(state.agent.actor.hidden)(seen.observation) if hidden else seen.observation
    done = np.asarray(seen.terminated | seen.truncated)
    for e in range(SMALL.num_envs):
        a, trace = np.zeros((2, shown.shape[1], 2))
        for t in range(SMALL.rollout_steps):
            a = a + 0.05 * float(seen.td_error[t, e]) * trace
            x = np.asarray(shown[t, :, e])
            assert_allclose(seen.readout[t, :, e], x @ a, rtol=1e-3, atol=1e-4)
            policy = np.asarray(jax.nn.softmax(seen.logits[t, :, e] + seen.readout[t, :, e]))
            fresh = t > 0 and done[t - 1, e]
            trace = (0 if fresh else 0.8) * trace + np.outer(x, np.eye(2)[seen.action[t, e]] - policy)
        assert_allclose(jax.tree.leaves(rollout_state.cells)[0][..., e], a, rtol=1e-3, atol=1e-4)


LATE = 3


@jax.jit
def paid_late(settings, state, randomness, bonus):
    """What a rollout sees in the probe, with a bonus for the step at time `LATE`."""

    def step(key, env_state, action):
        after = PROBE.step(key, env_state, action)
        return after._replace(reward=after.reward + jnp.where(env_state[0] == LATE, bonus, 0.0))

    env = PROBE._replace(step=step)
    return rollout.collect(settings, env, state.agent, state.rollout_state, randomness)[1]


@pytest.mark.parametrize("rule", [THREE, Modulated(0.1), Stabilise(0.1)])
def test_a_reward_reaches_the_cell_at_the_next_step_and_nothing_earlier(rule):
    settings = aware(rule, replace(STILL, initial_scale=0.5))
    state = compiled.init(settings, PROBE, jnp.array(0), jnp.array(0))
    randomness = compiled.draw(settings, PROBE, jax.random.key(3))
    seen, told = (paid_late(settings, state, randomness, jnp.array(bonus)) for bonus in (0.0, 5.0))
    assert_array_equal(seen.readout[: LATE + 1], told.readout[: LATE + 1])
    assert_array_equal(seen.action[: LATE + 1], told.action[: LATE + 1])
    assert (np.asarray(seen.readout[LATE + 1]) != np.asarray(told.readout[LATE + 1])).any()


def rewarding(turned):
    """The probe as it is (0), or with other rewards, under which the worst environment is the best (1)."""

    def step(key, state, action):
        after = PROBE.step(key, state, action)
        return after._replace(reward=(1 - 8 * turned) * after.reward + 9 * turned)

    return PROBE._replace(step=step)


@jax.jit
def rolled(settings, agent, rollout_state, randomness, turned):
    return rollout.collect(settings, rewarding(turned), agent, rollout_state, randomness)


def lived(rule, turned):
    """Three rollouts under fixed networks: what was acted on, and the pattern that evaluations start from."""
    settings = aware(rule, replace(STILL, initial_scale=0.5, population=0.1), ppo=replace(SMALL, rollout_steps=16))
    state = compiled.init(settings, PROBE, jnp.array(0), jnp.array(0))
    randomness = compiled.draw(settings, PROBE, jax.random.key(3))
    agent, rollout_state, seen = state.agent, state.rollout_state, []
    for _ in range(3):
        now = schedules.scheduled(settings, agent.performance, 0.5)
        rollout_state, experience = rolled(now, agent, rollout_state, randomness, jnp.array(float(turned)))
        known = training.followed_performance(agent.performance, experience)
        pattern = training.lasting_pattern(settings, agent, rollout_state)
        agent = replace(agent, performance=known, pattern=pattern)
        seen.append(experience)
    return seen, agent.pattern


@pytest.mark.parametrize("rule", [replace(THREE, signal="constant"), Stabilise(0.02, signal="constant")])
def test_a_control_knows_no_reward_by_any_way(rule):
    (seen, pattern), (told, same_pattern) = lived(rule, 0), lived(rule, 1)
    for one, other in zip(seen, told, strict=True):
        assert (np.asarray(one.reward) != np.asarray(other.reward)).any(axis=0).all()
        assert_array_equal(one.readout, other.readout)
        assert_array_equal(one.action, other.action)
    assert_array_equal(pattern, same_pattern)


@pytest.mark.parametrize("way", [{"caution": 9.0}, {"selection": "fittest"}, {"exchange": "returns"}])
def test_the_ways_that_a_control_is_refused_do_tell_of_the_reward(way):
    rule = replace(THREE, **way)
    object.__setattr__(rule, "signal", "constant")  # past the refusal
    (seen, pattern), (told, other_pattern) = lived(rule, 0), lived(rule, 1)
    same = [np.array_equal(one.readout, other.readout) for one, other in zip(seen, told, strict=True)]
    assert not all(same) or not np.array_equal(pattern, other_pattern)


@pytest.mark.parametrize("signal", ["constant", "shuffled"])
@pytest.mark.parametrize(
    ("way", "said"),
    [
        (
            {"selection": "fittest"},
            r"guidance.selection = 'fittest': must be 'none' .* Set guidance.selection = ",
        ),
        ({"exchange": "returns"}, r"guidance.exchange = 'returns': must be 'equal' .* Set guidance.exchange = "),
        ({"caution": 0.1}, r"guidance.caution = 0.1: must be 0 .* would know the reward .* Set guidance.caution = 0"),
    ],
)
def test_a_control_that_would_know_the_reward_by_another_way_is_refused(signal, way, said):
    with pytest.raises(SettingError, match=said):
        replace(THREE, signal=signal, **way)
    assert replace(THREE, **way).signal == "td_error"


@pytest.mark.parametrize(("selection", "chosen"), [("none", 0), ("fittest", 2)])
def test_an_evaluation_starts_from_the_first_pattern_or_from_the_fittest(selection, chosen):
    three = aware(replace(THREE, selection=selection))
    stay = aware(WinStay(selection=selection), replace(STILL, reset="redraw"))
    for settings in (three, stay):
        state = compiled.init(settings, PROBE, jnp.array(0), jnp.array(0))
        cells = ActivatorInhibitor(*jax.random.normal(jax.random.key(1), (2, 2, 2, 4)))
        trace_state = state.rollout_state.trace_state._replace(fitness=jnp.array([1.0, 0.0, 3.0, 2.0]))
        lasting = training.lasting_pattern(
            settings, state.agent, state.rollout_state._replace(cells=cells, trace_state=trace_state)
        )
        assert_array_equal(lasting.activator, cells.activator[..., chosen])
        assert_array_equal(lasting.inhibitor, cells.inhibitor[..., chosen])


def test_a_better_pattern_stays_and_a_worse_one_is_drawn_anew():
    rule = WinStay(strength=0.2, sensitivity=1.0)
    known = Performance(*(jnp.array(0.0),) * 3, usual_surprise=jnp.array(1.0))
    cells, fresh = (ActivatorInhibitor(*jnp.full((2, 2, 2, 3), u)) for u in (0.5, 9.0))
    done, returns = jnp.array([True, True, False]), jnp.array([4.0, -4.0, 4.0])
    after = rule.at_end(cells, fresh, done, returns, known, STILL.bounded).activator
    assert_allclose(after[..., 0], 0.5 + 0.2 * np.tanh(4.0), rtol=1e-5)
    assert_array_equal(after[..., 1], 9.0)
    assert_array_equal(after[..., 2], 0.5)
    within = rule.at_end(cells, fresh, done, returns, known, replace(STILL, bound=0.6).bounded)
    assert_allclose(within.inhibitor[..., 0], 0.6)  # the system's own bound holds


def test_patterns_outlive_episodes_in_a_rollout_of_win_stay_and_are_drawn_anew_in_it():
    settings = aware(WinStay(strength=0.2), replace(STILL, initial_scale=0.5, reset="redraw"))
    state, rollout_state, seen = acted(settings)
    randomness = compiled.draw(settings, PROBE, jax.random.key(3))
    done = np.asarray(seen.terminated | seen.truncated)
    assert (done.sum(axis=0) > 2).all()
    usual = 0.0  # nothing is known yet
    for e in range(SMALL.num_envs):
        u = np.asarray(state.rollout_state.cells.activator[..., e])
        for t in np.flatnonzero(done[:, e]):
            better = float(seen.episode_return[t, e]) - usual
            stays, fresh = u + 0.2 * np.tanh(better) * np.sign(u), randomness.pattern.activator[t, ..., e]
            u = stays if better >= 0 else np.asarray(fresh)
        assert_allclose(rollout_state.cells.activator[..., e], u, rtol=1e-4, atol=1e-5)


def test_win_stay_without_fresh_patterns_is_refused_by_name():
    with pytest.raises(
        SettingError, match=r"^dynamics.reset = 'never': must be 'redraw' where guidance.kind is 'win_stay'"
    ):
        aware(WinStay())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"blend": Blend("none")}, r"^blend\.kind = 'none': must be one of 'average', 'add' where .* 'three_factor'"),
        (
            {"cell": CorrelatedNoise()},
            r"^dynamics\.kind = 'correlated_noise': must be a system whose step calls `guide`",
        ),
        ({"cell": EchoState()}, r"^dynamics\.kind = 'echo_state': must be a system whose step calls `guide`"),
        ({"cell": GiererMeinhardt()}, r"^dynamics\.kind = 'gierer_meinhardt': must .* calls `guide\(u, read=True\)`"),
        ({"cell": SignFlipped()}, r"^dynamics\.kind = 'sign_flipped': must read out observation @ u"),
        ({"cell": ReactionDiffusion(emphasis="softmax")}, r"^dynamics\.kind = .*: must read out observation @ u"),
        ({"memory": LeakyIntegrators()}, r"^memory\.kind = 'leaky_integrators': must be one that is not guided"),
    ],
)
def test_guidance_whose_signal_would_reach_nothing_is_refused(more, said):
    with pytest.raises(SettingError, match=said):
        aware(THREE, **more)
    with pytest.raises(SettingError, match=r"^dynamics\.kind = .* where guidance.kind is 'modulated'"):
        aware(Modulated(), EchoState())
    assert aware(THREE, memory=PreviousObservation()).memory.kind == "previous_observation"


def test_a_rule_that_needs_values_is_refused_beside_a_recurrent_network():
    with pytest.raises(
        SettingError, match=r"^ppo\.network = 'gru': must be 'mlp' where guidance\.kind is 'three_factor'"
    ):
        aware(THREE, ppo=PPO(network="gru"))


def test_a_signal_that_the_rule_does_not_use_is_no_setting_of_it():
    with pytest.raises(SettingError, match=r"^guidance\.signal: no such setting; must be one of strength, selection, "):
        from_dict(Settings, {"guidance": {"kind": "win_stay", "signal": "shuffled"}})


def test_a_shuffled_signal_without_a_neighbour_is_refused():
    """Rolled by one among one, every surprise would stay where it is."""
    with pytest.raises(SettingError, match=r"guidance.signal = 'shuffled': must be .* where ppo.num_envs is 1"):
        aware(replace(THREE, signal="shuffled"), ppo=PPO(num_envs=1))


# --- Strength over time ----------------------------------------------------------------------------------------------


def strength(rule, *returns):
    """The strength in force after rollouts with these mean returns, as a share of what was set."""
    known = schedules.unknown()
    for value in returns:
        known = schedules.follow(known, jnp.array(float(value)), None)
    return float(schedules.scheduled(aware(rule), known, 0.5).guidance.strength) / rule.strength


def test_adaptive_strength_is_there_while_returns_rise_and_gone_when_they_do_not():
    rule = Adaptive(strength=0.3, sensitivity=5.0)
    assert strength(rule) == 0
    assert strength(rule, *[20] * 30) == 0
    assert strength(rule, *range(20, 200, 5)) > 0.5
    assert strength(rule, *range(200, 20, -5)) == 0
    assert strength(rule, 20, np.nan, np.nan) == 0


def test_a_negative_sensitivity_turns_adaptive_strength_round():
    rule = Adaptive(strength=0.3, sensitivity=-5.0)
    assert strength(rule, *[20] * 30) == 0
    assert strength(rule, *range(20, 200, 5)) == 0
    assert strength(rule, *range(200, 20, -5)) > 0.5


def test_three_factors_keep_their_strength_under_constant_returns_and_lose_it_with_progress():
    rule = replace(THREE, caution=0.1)
    for returns in ([], [20] * 30, range(200, 20, -5)):
        assert strength(rule, *returns) == pytest.approx(1)
    assert strength(rule, 20, *[500] * 100) == pytest.approx(1 / (1 + 0.1 * 480 / 21), rel=1e-3)


def test_a_handover_keeps_the_weight_then_takes_it_to_zero():
    settings = replace(aware(THREE), blend=Blend("add", 2.0, handover=0.8))
    weights = [float(schedules.scheduled(settings, None, p).blend.weight) for p in (0.0, 0.4, 0.6, 0.8, 1.0)]
    assert_allclose(weights, [2, 2, 1, 0, 0], atol=1e-5)
    assert float(schedules.scheduled(aware(THREE), None, 1.0).blend.weight) == 1.0


# --- Probes -----------------------------------------------------------------------------------------------------------

ALONE = Blend("average", 1.0)
"""The network has no say: what is learned, the cell has learned."""
QUICK = PPO(learning_rate=5e-3, num_envs=16, rollout_steps=16, hidden=(32,), entropy_coefficient=0.0)
CUE = OBSERVATION_DEPENDENT_ACTION
IDLE = CUE._replace(step=lambda key, state, action: CUE.step(key, state, action)._replace(reward=jnp.array(1.0)))


def learned(env, rule, cell=STILL):
    settings = Settings("CartPole-v1", 4_000, evaluate_every=0, ppo=QUICK, dynamics=cell, guidance=rule, blend=ALONE)
    state = compiled.train(settings, env, 0)
    score = compiled.evaluate(settings, env, state.agent, jax.random.key(1), 200, greedy=True).mean()
    return float(score), state


def test_the_cell_alone_learns_by_three_factors_what_a_fixed_one_cannot():
    assert learned(CUE, THREE)[0] == 1.0
    assert abs(learned(CUE, replace(THREE, strength=0.0))[0]) < 0.2


@pytest.mark.parametrize("signal", ["constant", "shuffled"])
def test_a_signal_that_tells_nothing_teaches_nothing(signal):
    _, state = learned(CUE, replace(THREE, signal=signal))
    told = learned(CUE, THREE)[1].agent.pattern.activator
    margin = jnp.abs(state.agent.pattern.activator[0, 0] - state.agent.pattern.activator[0, 1])
    assert margin < jnp.abs(told[0, 0] - told[0, 1]) / 2


def test_where_reward_is_constant_the_pattern_wanders_without_a_direction():
    ends = [learned(IDLE, THREE, replace(STILL, population=0.0))[1].rollout_state.cells.activator]
    difference = np.ravel(ends[0][0, 0] - ends[0][0, 1])
    assert abs(difference.mean()) < 3 * difference.std() / np.sqrt(len(difference)) + 1e-3


def test_win_stay_finds_the_pattern_that_answers_the_cue():
    rule = WinStay(strength=0.05, selection="fittest")
    cell = replace(STILL, initial_scale=1.0, reset="redraw")
    assert learned(CUE, rule, cell)[0] > 0.9


def test_a_network_that_distils_the_cell_can_do_without_it():
    settings = Settings(
        "CartPole-v1", 6_000, evaluate_every=0, ppo=QUICK, dynamics=STILL, guidance=THREE,
        blend=Blend("average", 1.0, distil=1.0, handover=0.8),
    )  # fmt: skip
    agent = compiled.train(settings, CUE, 0).agent
    off = schedules.scheduled(settings, agent.performance, 1.0)
    assert off.blend.weight == 0
    assert compiled.evaluate(off, CUE, agent, jax.random.key(1), 200, greedy=True).mean() == 1.0


def test_the_first_probability_ratio_is_one_whatever_the_strength_in_force():
    settings = replace(aware(replace(THREE, caution=1.0)), blend=Blend("add", 1.0, handover=0.9))
    known = Performance(*(jnp.array(float(v)) for v in (20, 100, 100, 1)))
    now = schedules.scheduled(settings, known, 0.7)
    state, rollout_state, seen = acted(now, agent_performance=known)
    samples = losses.prepare(now, PROBE, state.agent, seen, rollout_state.observation)
    logits = state.agent.actor(samples.observation)
    blended = jax.nn.log_softmax(losses.blend(now.blend, logits, samples.readout), axis=0)
    chosen = jnp.take_along_axis(blended, samples.action[None], axis=0)[0]
    assert_allclose(chosen, samples.log_prob, atol=1e-5)


def test_constant_value_probe_leaves_a_blind_observation_alone():
    assert_array_equal(learned(CONSTANT_VALUE, THREE)[1].agent.pattern.activator, 0)
