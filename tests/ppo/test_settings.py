"""Settings: every wrong value is refused by name, and what is right survives a round trip."""

import json
import math

import jaxtyping
import pytest

from morphorl.config.errors import SettingError
from morphorl.config.plain import from_dict, to_dict
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.control import Control
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.reaction_diffusion import Cell
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.studies.study import ALGORITHM_VERSION

NAN, INF = math.nan, math.inf


@pytest.fixture(autouse=True)
def as_users_have_it():
    """No type checker in front: the settings' own checks must do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


REFUSED = [
    # How it is made, how the message starts, what it says is allowed
    (lambda: Guidance(strength=INF), "guidance.strength = inf", "a finite number"),
    (lambda: Guidance(strength=NAN), "guidance.strength = nan", "a finite number"),
    (lambda: Guidance(strength="0.1"), "guidance.strength = '0.1'", "a finite number"),
    (lambda: Guidance(kind="blnd"), "guidance.kind = 'blnd'", "'none', 'blind'"),
    (lambda: Blend(weight=-INF), "blend.weight = -inf", "a finite number"),
    (lambda: Blend(distil=-0.1), "blend.distil = -0.1", "at least 0"),
    (lambda: Blend("none", update="network"), "blend.update = 'network'", "where blend.kind is 'none'"),
    (lambda: Guidance(signal="constant"), "guidance.signal = 'constant'", "'blind', which knows no reward"),
    (lambda: Guidance("adaptive", selection="fittest"), "guidance.selection = 'fittest'", "'adaptive', which knows no"),
    (lambda: Guidance("none", exchange="returns"), "guidance.exchange = 'returns'", "'none', which knows no reward"),
    (lambda: Blend(kind="mean"), "blend.kind = 'mean'", "'none', 'average', 'add'"),
    (lambda: Cell(dt=-0.1), "cell.dt = -0.1", "at least 0"),
    (lambda: Cell(epsilon=-1.0), "cell.epsilon = -1.0", "at least 0"),
    (lambda: Cell(bound=0.0), "cell.bound = 0.0", "above 0, or inf"),
    (lambda: Cell(bound=NAN), "cell.bound = nan", "above 0, or inf"),
    (lambda: Cell(activator_decay=-INF), "cell.activator_decay = -inf", "a finite number"),
    (lambda: Cell(gate="row"), "cell.gate = 'row'", "'none', 'rows'"),
    (lambda: Guidance(selection="best"), "guidance.selection = 'best'", "'none', 'fittest'"),
    (lambda: Guidance(exchange="return"), "guidance.exchange = 'return'", "'equal', 'returns'"),
    (lambda: Cell(drive=INF), "cell.drive = inf", "a finite number"),
    (lambda: Cell(coupling="star"), "cell.coupling = 'star'", "'mean', 'ring', 'lattice', 'partner'"),
    (lambda: Cell(reset="always"), "cell.reset = 'always'", "'episode', 'redraw', 'never'"),
    (lambda: Cell(normalise="yes"), "cell.normalise = 'yes'", "true or false"),
    (lambda: PPO(learning_rate=0.0), "ppo.learning_rate = 0.0", "above 0"),
    (lambda: PPO(discount=1.01), "ppo.discount = 1.01", "from 0 to 1"),
    (lambda: PPO(gae_lambda=-0.1), "ppo.gae_lambda = -0.1", "from 0 to 1"),
    (lambda: PPO(num_envs=0), "ppo.num_envs = 0", "whole number of at least 1"),
    (lambda: PPO(epochs=2.5), "ppo.epochs = 2.5", "whole number of at least 1"),
    (lambda: PPO(hidden=()), "ppo.hidden = ()", "one or more whole numbers"),
    (lambda: PPO(hidden=(64, 0)), "ppo.hidden = (64, 0)", "one or more whole numbers"),
    (lambda: PPO(minibatches=0), "ppo.minibatches = 0", "whole number of at least 1"),
    (lambda: Control(kind="nois"), "control.kind = 'nois'", "'none', 'sign', 'noise', 'coloured', 'state_dependent'"),
    (lambda: Control(autocorrelation=1.1), "control.autocorrelation = 1.1", "from -1 to 1"),
    (lambda: Control(repeat=-0.1), "control.repeat = -0.1", "from 0 to 1"),
    (lambda: PPO(network="lstm"), "ppo.network = 'lstm'", "'mlp', 'gru'"),
    (lambda: PPO(minibatches=3), "ppo.minibatches = 3", "must divide the batch of 512 samples"),
    (lambda: Settings(steps=511), "steps = 511", "at least one rollout of 512"),
    (lambda: Settings(steps=1e5), "steps = 100000.0", "whole number of at least 1"),
    (lambda: Settings(evaluate_every=-1), "evaluate_every = -1", "whole number of at least 0"),
    (lambda: Settings(evaluation_episodes=0), "evaluation_episodes = 0", "whole number of at least 1"),
    (lambda: Settings("CartPole-v7"), "environment = 'CartPole-v7'", "one of CartPole-v1, StatelessCartPole-v1"),
    (lambda: Settings("Pendulum-v1"), "environment = 'Pendulum-v1'", "one with discrete actions"),
]


@pytest.mark.parametrize(("make", "name_and_value", "allowed"), REFUSED, ids=[start for _, start, _ in REFUSED])
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(make, name_and_value, allowed):
    with pytest.raises(SettingError) as error:
        make()
    found, _, must = str(error.value).partition(": ")
    assert found == name_and_value
    assert allowed in must


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cel": {}}, "cel: no such setting; must be one of environment, steps, .*cell.* Did you mean 'cell'?"),
        ({"cell": {"couplng": "ring"}}, r"cell\.couplng: no such setting; must be one of .* Did you mean 'coupling'?"),
        ({"ppo": {"lambda": 0.9}}, r"ppo\.lambda: no such setting; must be one of .*gae_lambda"),
        ({"cell": {"coupling": "rign"}}, r"cell\.coupling = 'rign': must be one of .* Did you mean 'ring'?"),
        ({"guidance": {"kind": "blin"}}, r"guidance\.kind = 'blin': must be one of .* Did you mean 'blind'?"),
        ({"ppo": {"activation": "thanh"}}, r"ppo\.activation = 'thanh': must be one of .* Did you mean 'tanh'?"),
        ({"environment": "StatelessCartpole-v1"}, "environment = .* Did you mean 'StatelessCartPole-v1'?"),
        ({"guidance": {"strength": math.inf}}, r"guidance\.strength = inf: must be a finite number"),
        ({"ppo": {"minibatches": 7}}, r"ppo\.minibatches = 7: must divide the batch"),
        ({"steps": 100}, "steps = 100: must be at least one rollout"),
    ],
)
def test_a_wrong_file_is_refused_with_the_nearest_name(values, message):
    with pytest.raises(SettingError, match=message):
        from_dict(Settings, values)


@pytest.mark.parametrize(
    "values",
    [
        {"guidance": {"strength": None}},
        {"guidance": {"strength": True}},
        {"guidance": {"strength": 10**400}},
        {"ppo": {"num_envs": True}},
        {"ppo": {"hidden": None}},
        {"environment": None},
        {"environment": ["CartPole-v1"]},
        3,
        {"cell": 3},
        {"cell": None},
        {"cell": {"initial": "positive", "activator_decay": 0.0}},
        {"cell": {"initial": "positive", "inhibitor_production": 0.0}},
        {"cell": {"activator_decay": -0.1}, "learned": {"parameters": ["cell.activator_decay"]}},
    ],
    ids=lambda values: str(values)[:60],
)
def test_a_file_with_a_value_of_another_kind_is_refused(values):
    with pytest.raises(SettingError):
        from_dict(Settings, values)


UNUSUAL = Settings(
    "StatelessCartPole-v1",
    steps=5_000,
    evaluate_every=0,
    evaluation_episodes=3,
    ppo=PPO(anneal=False, value_clip=INF, max_gradient_norm=INF, minibatches=8, hidden=(8,), activation="relu"),
    cell=Cell(bound=INF, coupling="lattice", initial="positive", readout="difference", reset="never", normalise=True),
    guidance=Guidance("none", -0.1),
    blend=Blend("add", 1.5, 0.25),
)


@pytest.mark.parametrize("settings", [Settings(), UNUSUAL, *(Settings(ppo=ppo) for ppo in PRESETS.values())])
def test_settings_survive_the_way_through_json(settings):
    there = json.dumps(to_dict(settings))
    back = from_dict(Settings, json.loads(there))
    assert back == settings
    assert json.dumps(to_dict(back)) == there


def test_settings_that_differ_in_one_value_are_not_equal():
    assert from_dict(Settings, {"guidance": {"strength": 0.1}}) != Settings()
    assert from_dict(Settings, {"cell": {"coupling": "ring"}}) != Settings()


def test_what_a_file_leaves_out_keeps_its_default():
    assert from_dict(Settings, {}) == Settings()
    assert from_dict(Settings, {"cell": {"coupling": "ring"}}) == Settings(cell=Cell(coupling="ring"))
    assert from_dict(PPO, {"hidden": [32, 16]}) == PPO(hidden=(32, 16))


def test_the_standard_preset_is_what_is_widely_published():
    assert PRESETS["standard"] == PPO(
        learning_rate=2.5e-4,
        anneal=True,
        discount=0.99,
        gae_lambda=0.95,
        clip=0.2,
        value_clip=0.2,
        value_coefficient=0.5,
        entropy_coefficient=0.01,
        max_gradient_norm=0.5,
        num_envs=4,
        rollout_steps=128,
        epochs=4,
        minibatches=4,
        hidden=(64, 64),
        activation="tanh",
        normalise_observations=False,
    )


def test_the_tuned_preset_normalises_observations_and_is_another_one():
    assert set(PRESETS) == {"standard", "tuned", "sb3"}
    assert PRESETS["tuned"].normalise_observations
    assert PRESETS["tuned"] != PRESETS["standard"]


def test_steps_are_rounded_down_to_updates_and_evaluations_up():
    assert Settings(steps=512).updates == 1
    assert Settings(steps=1_535).updates == 2
    assert [Settings(evaluate_every=n).evaluation_interval for n in (0, 1, 512, 513, 2_000)] == [0, 1, 1, 2, 4]


DEFAULTS_OF_VERSION_3 = """
steps 100000 evaluate_every 2000 evaluation_episodes 8 ppo.learning_rate 0.00025 ppo.anneal true ppo.discount 0.99
ppo.gae_lambda 0.95 ppo.clip 0.2 ppo.value_clip 0.2 ppo.value_coefficient 0.5 ppo.entropy_coefficient 0.01
ppo.max_gradient_norm 0.5 ppo.num_envs 4 ppo.rollout_steps 128 ppo.epochs 4 ppo.minibatches 4 ppo.hidden [64,64]
ppo.network "mlp" ppo.activation "tanh" ppo.normalise_observations false cell.activator_diffusion 0.1
cell.inhibitor_diffusion 0.4 cell.activator_production 0.1 cell.inhibitor_production 0.1 cell.activator_decay 0.1
cell.inhibitor_decay 0.2 cell.drive 0.0 cell.population 0.0 cell.dt 1.0 cell.epsilon 0.1 cell.bound 10.0
cell.initial_scale 0.1 cell.coupling "mean" cell.initial "signed" cell.emphasis "linear" cell.readout "activator"
cell.reset "episode" cell.normalise false guidance.kind "blind" guidance.strength 0.0 blend.kind "average"
blend.weight 0.3 blend.distil 0.0 control.kind "none" control.deviation 1.0 control.autocorrelation 0.9
control.spectral_radius 0.9 control.input_scale 1.0 control.repeat 0.25
"""


def test_defaults_are_those_that_stored_runs_were_named_with():
    # A run's identity leaves defaults out. New settings may join; whoever changes a default here must raise
    # ALGORITHM_VERSION, and then writes the new defaults down.
    assert ALGORITHM_VERSION == 3
    words = DEFAULTS_OF_VERSION_3.split()
    for name, value in zip(words[::2], words[1::2], strict=True):
        here = to_dict(Settings())
        for step in name.split("."):
            here = here[step]
        assert here == (tuple(json.loads(value)) if name == "ppo.hidden" else json.loads(value)), name


def test_digest_leaves_out_defaults_and_nothing_else():
    assert Settings().digest == Settings("CartPole-v1", ppo=PPO(), cell=Cell(dt=1)).digest
    others = [
        Settings("StatelessCartPole-v1"),
        Settings(steps=50_000),
        Settings(ppo=PPO(discount=0.5)),
        Settings(ppo=PPO(gae_lambda=0.5)),
        Settings(cell=Cell(coupling="ring")),
        Settings(guidance=Guidance(strength=0.5)),
        Settings(blend=Blend(weight=0.5)),
    ]
    assert len({settings.digest for settings in [Settings(), *others]}) == 8
