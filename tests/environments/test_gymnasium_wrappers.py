"""The cell as a Gymnasium wrapper: right at resets, under every autoreset mode, and by the libraries' own checks."""

import functools
import pickle
import warnings

import gymnasium
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config.errors import SettingError
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.guidance.adaptive import Adaptive
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.none import NoDynamics
from morphorl.dynamics.previous_observation import PreviousObservation
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.dynamics.state_dependent_noise import StateDependentNoise
from morphorl.environments.gymnasium_wrappers import CellObservation, VectorCellObservation
from morphorl.environments.wrappers import memory_of

DRIVEN = ReactionDiffusion(drive=0.3)


class Counting(gymnasium.Env):
    """Observations are seed + time; an episode's length is its seed plus 2. Nothing depends on actions."""

    observation_space = spaces.Box(-100, 100, (1,), np.float32)
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, offset=0):
        self.offset, self.episode = offset, -1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.time = self.episode + 1, 0
        return self._now(), {}

    def step(self, action):
        self.time += 1
        return self._now(), 1.0, self.time >= 2 + self.offset, False, {}

    def _now(self):
        return np.array([0.1 * self.time + self.episode + 10 * self.offset], np.float32)


def remembered(observations, cell=DRIVEN, append="state"):
    """What a cell that starts afresh appends to each of these observations, in a loop of single steps."""
    state, rows = cell.init(jax.random.fold_in(jax.random.key(0), 0), (1, 2)), []
    for x in np.asarray(observations, np.float32):
        state = cell.step(state, jnp.asarray(x))
        parts = {"state": state, "readout": (cell.read(state, jnp.asarray(x)),)}[append]
        rows.append(np.concatenate([x, *(np.asarray(part).reshape(-1) for part in parts)]))
    return np.stack(rows)


@pytest.mark.parametrize("append", ["state", "readout"])
def test_every_episode_is_that_of_a_cell_that_starts_afresh(append):
    env = CellObservation(Counting(offset=3), DRIVEN, append=append)
    for episode in range(2):
        seen, done = [env.reset()[0]], False
        while not done:
            observation, _, done, _, _ = env.step(0)
            seen.append(observation)
        plain = np.arange(6)[:, None] * np.float32(0.1) + episode + 30
        assert_allclose(np.stack(seen), remembered(plain, append=append), atol=1e-5)
        assert all(env.observation_space.contains(one) for one in seen)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_vector_environments_see_what_single_ones_do_under_both_autoresets(mode):
    """Each environment's observations, cut into episodes, are those of the single wrapper, last ones included."""
    env = VectorCellObservation(
        SyncVectorEnv([lambda o=o: Counting(o) for o in range(3)], autoreset_mode=mode), DRIVEN, append="state"
    )
    observation, _ = env.reset(seed=0)
    episodes = [[[row]] for row in observation]
    ended = np.zeros(3, bool)
    for _ in range(12):
        observation, reward, terminated, truncated, info = env.step(np.zeros(3, int))
        done = terminated | truncated
        for i in range(3):
            starts = ended[i] if mode == AutoresetMode.NEXT_STEP else done[i]
            if mode == AutoresetMode.SAME_STEP and done[i]:
                episodes[i][-1].append(info["final_obs"][i])
            episodes[i] = [*episodes[i], [observation[i]]] if starts else episodes[i]
            if not starts:
                episodes[i][-1].append(observation[i])
            elif mode == AutoresetMode.NEXT_STEP:
                assert reward[i] == 0  # the step that resets pays nothing
        ended = done
    for offset, of_env in enumerate(episodes):
        assert len(of_env) > 2
        for number, episode in enumerate(of_env):
            plain = np.arange(len(episode))[:, None] * np.float32(0.1) + number + 10 * offset
            assert_allclose(np.stack(episode), remembered(plain), atol=1e-5)
        assert {len(episode) for episode in of_env[:-1]} == {3 + offset}


def test_masked_resets_leave_the_other_cells_alone():
    env = VectorCellObservation(
        SyncVectorEnv([lambda o=o: Counting(o) for o in range(2)], autoreset_mode=AutoresetMode.DISABLED),
        DRIVEN,
        append="state",
    )
    seen = [env.reset()[0]] + [env.step(np.zeros(2, int))[0] for _ in range(2)]  # environment 0 has ended
    after, _ = env.reset(options={"reset_mask": np.array([True, False])})
    assert_array_equal(after[1], seen[-1][1])
    assert_allclose(after[0], remembered([[1.0]])[0], atol=1e-6)
    following = env.step(np.zeros(2, int))[0]
    assert_allclose(following[0], remembered([[1.0], [1.1]])[1], atol=1e-5)
    assert_allclose(following[1], remembered(10 + np.arange(4)[:, None] * 0.1)[3], atol=1e-5)


def test_the_cell_is_reset_as_it_says():
    first = {}
    for reset in ("episode", "redraw", "never"):
        env = CellObservation(Counting(), ReactionDiffusion(reset=reset), append="state")
        starts = [env.reset(seed=3)[0], env.reset()[0], env.reset(seed=3)[0]]
        first[reset] = [bool(np.allclose(starts[0][1:], other[1:])) for other in starts[1:]]
    assert first == {"episode": [True, True], "redraw": [False, True], "never": [False, False]}


def redrawn(env, *seeds):
    """The patterns of an environment's first episode after a reset from each seed, and of the next one after that."""
    return [tuple(np.concatenate([env.reset(seed=seed)[0], env.reset()[0]]).reshape(-1)) for seed in seeds]


def test_patterns_differ_for_any_two_seeds():
    system = ReactionDiffusion(reset="redraw", dt=0.0)
    alone = CellObservation(Counting(), system, append="state")
    seeds = [0, 1, 4_096, 8_192, 2**20, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**40]
    drawn = [one[1:5] for one in redrawn(alone, *seeds)]
    assert len(set(drawn)) == len(seeds)
    assert [one[1:5] for one in redrawn(alone, *seeds)] == drawn
    many = VectorCellObservation(SyncVectorEnv([Counting, Counting]), system, append="state")
    seeds = [[0, 1], [1, 0], [0, 4_096], [0, None], [0, 2**32], [2**32, 0], 0, 1]
    drawn = redrawn(many, *seeds)
    assert len({(*one[1:5], *one[6:10]) for one in drawn}) == len(seeds)


def test_resets_without_a_seed_draw_what_they_always_did():
    system = ReactionDiffusion(reset="redraw", dt=0.0)
    env = CellObservation(Counting(), system, append="state", seed=5)
    for n in (1, 2, 3):
        drawn = system.init(jax.random.fold_in(jax.random.key(5), n), (1, 2))
        assert_allclose(env.reset()[0][1:], np.concatenate([drawn.activator[0], drawn.inhibitor[0]]), rtol=1e-6)


# --- Pickles ----------------------------------------------------------------------------------------------------------

PICKLED = [
    {},
    {"dynamics": ReactionDiffusion(reset="redraw")},
    {"dynamics": EchoState(), "append": "state", "seed": 3},
]


@pytest.mark.parametrize("options", PICKLED, ids=["memory", "redrawn", "constants"])
@pytest.mark.parametrize("vector", [False, True])
def test_a_pickled_environment_goes_on_as_it_would_have(options, vector):
    """Before its first episode, within one and into the next ones, which begin inside a vector environment."""
    make = functools.partial(gymnasium.make, "CartPole-v1")
    env = VectorCellObservation(SyncVectorEnv([make] * 2), **options) if vector else CellObservation(make(), **options)
    action = np.ones(2, int) if vector else 1

    def go_on(env, steps):
        env.reset(seed=None if steps else 1)
        return [env.step(action)[0] for _ in range(4 + steps)]

    fresh = pickle.loads(pickle.dumps(env))
    assert_array_equal(go_on(env, 0), go_on(fresh, 0))
    later = pickle.loads(pickle.dumps(env))
    steps = 12 if vector else 1  # pushed to one side, a pole falls after ten steps or so
    assert_array_equal([env.step(action)[0], *go_on(env, steps)], [later.step(action)[0], *go_on(later, steps)])


# --- Observations that are no vectors of numbers ----------------------------------------------------------------------


class Scripted(gymnasium.Env):
    """Observations are given, episode by episode; each episode ends with its last one."""

    observation_space = spaces.Box(-100, 100, (1,), np.float32)
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, *episodes):
        self.episodes, self.now = iter(episodes), iter(())

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        episode = next(self.episodes)
        self.last, self.now = len(episode) - 1, enumerate(episode)
        return np.array([next(self.now)[1]], np.float32), {}

    def step(self, action):
        time, value = next(self.now)
        return np.array([value], np.float32), 1.0, time == self.last, False, {}


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("reset", ["never", "episode"])
def test_no_system_sees_what_is_no_number_and_goes_on_after_it(reset):
    system = ReactionDiffusion(drive=0.3, reset=reset)
    env = CellObservation(Scripted([1, 2, NAN, 3, -INF, 4], [NAN, 5, 6]), system, append="state")
    seen = [env.reset()[0], env.step(0)[0]]
    with pytest.raises(SettingError, match=r"^observation\[0\] = nan: must be a finite number \(step 2 of its epi"):
        env.step(0)
    seen.append(env.step(0)[0])
    with pytest.raises(SettingError, match=r"^observation\[0\] = -inf: must be a finite number \(step 4 of"):
        env.step(0)
    seen.append(env.step(0)[0])
    with pytest.raises(SettingError, match=r"\(step 0 of its episode\)\. No system has seen this step, and all are as"):
        env.reset()
    seen += [env.step(0)[0], env.step(0)[0]]
    plain = np.array([[1], [2], [3], [4], [5], [6]])
    whole = remembered(plain) if reset == "never" else np.concatenate([remembered(plain[:4]), remembered(plain[4:])])
    assert_allclose(np.stack(seen), whole, atol=1e-5)


LOST = {
    "a first observation, at its end": (AutoresetMode.SAME_STEP, [[1, 2], [NAN, 4, 5, 6]], 1, [[7], [9], [10]]),
    "a first observation, a step later": (AutoresetMode.NEXT_STEP, [[1, 2], [NAN, 4, 5]], 2, [[7], [8], [10], [11]]),
    "a last observation": (AutoresetMode.SAME_STEP, [[1, NAN], [3, 4, 5, 6]], 1, [[7], [9], [10]]),
}


@pytest.mark.parametrize("case", LOST)
def test_among_many_those_that_lost_an_observation_start_with_the_next(case):
    mode, episodes, lost_at, others = LOST[case]
    envs = [lambda: Scripted(*episodes), lambda: Scripted([7, 8, 9, 10, 11, 12, 13])]
    env = VectorCellObservation(SyncVectorEnv(envs, autoreset_mode=mode), DRIVEN, append="state")
    env.reset()
    for _ in range(lost_at - 1):
        env.step(np.zeros(2, int))
    step = 1 if "last" in case else 0
    with pytest.raises(SettingError, match=rf"nan: must be a finite number \(environment 0, step {step} of"):
        env.step(np.zeros(2, int))
    seen = np.stack([env.step(np.zeros(2, int))[0] for _ in range(2)])
    assert_allclose(seen[:, 0], remembered([[4], [5]]), atol=1e-5)
    assert_allclose(seen[:, 1], remembered(others)[-2:], atol=1e-5)


def test_observations_of_another_shape_than_the_spaces_are_refused():
    env = CellObservation(Scripted([[1, 2], [3, 4]]))
    with pytest.raises(SettingError, match=r"^observation\.shape = \(1, 2\): must be \(1,\), that of the observati"):
        env.reset()


def test_no_step_without_an_episode():
    single = CellObservation(Scripted([1, 2]))
    single.env.reset()
    many = VectorCellObservation(SyncVectorEnv([Counting, Counting], autoreset_mode=AutoresetMode.DISABLED))
    many.env.reset()
    for env, action in ((single, 0), (many, np.zeros(2, int))):
        with pytest.raises(gymnasium.error.ResetNeeded, match="before all environments were `reset`"):
            env.step(action)
    with pytest.raises(gymnasium.error.ResetNeeded):
        many.reset(options={"reset_mask": np.array([True, False])})
    assert many.reset(options={"reset_mask": [True, True]})[0].shape == (2, 5)


# --- Memories ---------------------------------------------------------------------------------------------------------

MEMORIES = [LeakyIntegrators(), PreviousObservation(), EchoState(wiring="cycle", spectral_radius=0.6, input_scale=0.3)]


@pytest.mark.parametrize("system", MEMORIES, ids=lambda system: system.kind)
def test_it_appends_what_the_trainers_memory_does(system):
    """The environment with a memory around it (`wrappers.with_memory`) and the wrapper show the same, episode by
    episode; the leaky integrators without being asked for."""
    asked = None if system.kind == "leaky_integrators" else system
    env = CellObservation(Counting(offset=3), asked, append="memory" if system.is_readable else None)
    memory = memory_of(system, NoGuidance(), (1, 2))
    for episode in range(2):
        plain = np.float32(0.1) * np.arange(6, dtype=np.float32)[:, None] + episode + 30
        seen = [env.reset()[0]] + [env.step(0)[0] for _ in range(5)]
        state = memory.start(jnp.asarray(plain[0]))
        expected = [memory.show(state, jnp.asarray(plain[0]))]
        for x in plain[1:]:
            expected.append(memory.show(state, jnp.asarray(x)))
            state = memory.step(state, jnp.asarray(x))
        assert_allclose(np.stack(seen), np.stack(expected), atol=1e-4)


def test_scale_and_guidance_reach_the_cell():
    plain = CellObservation(Counting(), DRIVEN, append="state").reset()[0]
    scaled = CellObservation(Counting(offset=1), DRIVEN, append="state", scale=2.0)
    twice = remembered([[20.0]])[0]
    assert_allclose(scaled.reset()[0][1:], twice[1:], atol=1e-5)
    guided = CellObservation(Counting(), DRIVEN, append="state", guidance=Blind(strength=0.5)).reset()[0]
    assert_allclose(np.abs(guided[1:] - plain[1:]), 0.5, atol=1e-5)


@pytest.mark.parametrize("cell", [None, ReactionDiffusion(), PreviousObservation()])
@pytest.mark.parametrize("name", ["morphorl/StatelessCartPole-v1", "Pendulum-v1"])
def test_gymnasiums_own_checks_pass(name, cell):
    with warnings.catch_warnings():
        warnings.filterwarnings("error")
        warnings.filterwarnings(
            "ignore", ".*infinity.*|.*different from the unwrapped.*|.*infinite.*|.*symmetric and normalized.*"
        )
        check_env(CellObservation(gymnasium.make(name), cell), skip_render_check=True)


REFUSED = [
    (spaces.Dict({"a": spaces.Box(0, 1, (2,))}), "FlattenObservation"),
    (spaces.Box(0, 255, (8, 8, 3), np.uint8), "images need a wrapper"),
    (spaces.Discrete(5), "FlattenObservation"),
]


@pytest.mark.parametrize(("space", "cure"), REFUSED)
def test_other_observations_are_refused_with_what_to_wrap(space, cure):
    env = Counting()
    env.observation_space = space
    with pytest.raises(SettingError, match=cure) as error:
        CellObservation(env)
    assert "must be a Box of one dimension" in str(error.value)


WRONG = [
    ({"dynamics": ReactionDiffusion(), "append": "both"}, r"^append = 'both': must be one of 'readout', 'state', 'mem"),
    ({"append": "readout"}, r"^append = 'readout': must be one of 'state', 'memory'\."),
    ({"scale": (1, 5)}, r"^scale = \(1, 5\): must be a number, or 1 of them"),
    ({"guidance": Modulated()}, r"^guidance\.kind = 'modulated': must be 'none' or 'blind'; no reward is known"),
    ({"guidance": Adaptive()}, r"^guidance\.kind = 'adaptive': must be 'none' or 'blind'"),
    ({"dynamics": NoDynamics()}, r"^dynamics\.kind = 'none': must be a system that remembers something"),
    ({"dynamics": CorrelatedNoise()}, r"^dynamics\.kind = 'correlated_noise': must .* no random numbers"),
    ({"dynamics": CorrelatedNoise(), "append": "memory"}, r"^dynamics\.kind = 'correlated_noise': must .* no random"),
    ({"scale": NAN}, r"^scale = nan: must be finite numbers\."),
    ({"scale": [INF]}, r"^scale = \[inf\]: must be finite numbers\."),
    ({"scale": "1"}, r"^scale = '1': must be finite numbers\."),
    ({"columns": 0}, r"^columns = 0: must be a whole number of at least 1\."),
    ({"columns": -1}, r"^columns = -1: must be a whole number of at least 1\."),
    ({"columns": True}, r"^columns = True: must be a whole number of at least 1\."),
    ({"columns": 2.5}, r"^columns = 2\.5: must be a whole number of at least 1\."),
    ({"seed": -1}, r"^seed = -1: must be a whole number from 0 to 4294967295\."),
    ({"seed": 0.5}, r"^seed = 0\.5: must be a whole number from 0 to"),
    ({"seed": True}, r"^seed = True: must be a whole number from 0 to"),
    ({"seed": 2**32}, r"^seed = 4294967296: must be a whole number from 0 to"),
    ({"dynamics": StateDependentNoise()}, r"^dynamics\.kind = 'state_dependent_noise': must .* observation alone"),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG)
def test_wrong_options_are_refused(options, sentence, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users have it: no type checker in front
    with pytest.raises(SettingError, match=sentence):
        CellObservation(Counting(), **options)


WRONG_RESETS = [
    ({"seed": -1}, r"^seed = -1: must be a whole number of at least 0\."),
    ({"seed": 1.5}, r"^seed = 1\.5: must be a whole number of at least 0\."),
    ({"seed": [0]}, r"^seed = \[0\]: must be one seed, or 2 of them, one for each environment\."),
    ({"seed": [0, -3]}, r"^seed\[1\] = -3: must be a whole number of at least 0\."),
    ({"options": {"reset_mask": [True]}}, r"^reset_mask = \[True\]: must be 2 truth values, one for each environment"),
    ({"options": {"reset_mask": [1, 0]}}, r"^reset_mask = \[1, 0\]: must be 2 truth values"),
    ({"options": {"reset_mask": [False, False]}}, r"^reset_mask = .*: must be 2 truth .*, and one of them true\."),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG_RESETS)
def test_wrong_resets_are_refused_before_anything_is_reset(options, sentence, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    env = VectorCellObservation(SyncVectorEnv([Counting, Counting]))
    with pytest.raises(SettingError, match=sentence):
        env.reset(**options)
    assert [one.episode for one in env.env.envs] == [-1, -1]
    if "seed" in options and not isinstance(options["seed"], list):
        with pytest.raises(SettingError, match=sentence):
            CellObservation(Counting()).reset(**options)
