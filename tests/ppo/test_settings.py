"""Settings: every wrong value is refused by name, and what is right survives a round trip."""

import json
import math

import jaxtyping
import pytest

from morphorl.config.errors import SettingError
from morphorl.config.kinds import names, resolve
from morphorl.config.plain import from_dict, to_dict
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.base import Guidance, RewardAware, Surprised
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.guidance.three_factor import ThreeFactor
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.dynamics.sign_flipped import SignFlipped
from morphorl.environments.wrappers import Task
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.studies.run import ALGORITHM_VERSION

NAN, INF = math.nan, math.inf


@pytest.fixture(autouse=True)
def as_users_have_it():
    """No type checker in front: the settings' own checks must do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


REFUSED = [
    # How it is made, how the message starts, what it says is allowed
    (lambda: Blind(strength=INF), "guidance.strength = inf", "a finite number"),
    (lambda: Blind(strength=NAN), "guidance.strength = nan", "a finite number"),
    (lambda: Blind(strength="0.1"), "guidance.strength = '0.1'", "a finite number"),
    (lambda: Modulated(signal="td"), "guidance.signal = 'td'", "'td_error', 'constant', 'shuffled'"),
    (lambda: ThreeFactor(signal="shufled"), "guidance.signal = 'shufled'", "'td_error', 'constant', 'shuffled'"),
    (lambda: Modulated(selection="best"), "guidance.selection = 'best'", "'none', 'fittest'"),
    (lambda: Modulated(exchange="return"), "guidance.exchange = 'return'", "'equal', 'returns'"),
    (lambda: Blend(weight=-INF), "blend.weight = -inf", "a finite number"),
    (lambda: Blend(distil=-0.1), "blend.distil = -0.1", "at least 0"),
    (lambda: Blend("none", update="network"), "blend.update = 'network'", "where blend.kind is 'none'"),
    (lambda: Blend(kind="mean"), "blend.kind = 'mean'", "'none', 'average', 'add'"),
    (lambda: ReactionDiffusion(dt=-0.1), "dynamics.dt = -0.1", "at least 0"),
    (lambda: ReactionDiffusion(epsilon=-1.0), "dynamics.epsilon = -1.0", "at least 0"),
    (lambda: ReactionDiffusion(bound=0.0), "dynamics.bound = 0.0", "above 0, or inf"),
    (lambda: ReactionDiffusion(bound=NAN), "dynamics.bound = nan", "above 0, or inf"),
    (lambda: ReactionDiffusion(activator_decay=-INF), "dynamics.activator_decay = -inf", "a finite number"),
    (lambda: ReactionDiffusion(gate="row"), "dynamics.gate = 'row'", "'none', 'rows'"),
    (lambda: ReactionDiffusion(drive=INF), "dynamics.drive = inf", "a finite number"),
    (lambda: ReactionDiffusion(coupling="star"), "dynamics.coupling = 'star'", "'mean', 'ring', 'lattice', 'partner'"),
    (lambda: ReactionDiffusion(reset="always"), "dynamics.reset = 'always'", "'episode', 'redraw', 'never'"),
    (lambda: ReactionDiffusion(normalise="yes"), "dynamics.normalise = 'yes'", "true or false"),
    (lambda: ReactionDiffusion(redraw=0.1), "dynamics.redraw = 0.1", "must be 0 where dynamics.reset is 'episode'"),
    (lambda: CorrelatedNoise(autocorrelation=1.1), "dynamics.autocorrelation = 1.1", "from -1 to 1"),
    (lambda: GiererMeinhardt(sites=7), "dynamics.sites = 7", "an even whole number from 4 to 16,384"),
    (lambda: LeakyIntegrators(columns=0), "memory.columns = 0", "whole number of at least 1"),
    (lambda: Task(repeat=-0.1), "task.repeat = -0.1", "from 0 to 1"),
    (lambda: PPO(learning_rate=0.0), "ppo.learning_rate = 0.0", "above 0"),
    (lambda: PPO(discount=1.01), "ppo.discount = 1.01", "from 0 to 1"),
    (lambda: PPO(gae_lambda=-0.1), "ppo.gae_lambda = -0.1", "from 0 to 1"),
    (lambda: PPO(num_envs=0), "ppo.num_envs = 0", "whole number of at least 1"),
    (lambda: PPO(epochs=2.5), "ppo.epochs = 2.5", "whole number of at least 1"),
    (lambda: PPO(hidden=()), "ppo.hidden = ()", "one or more whole numbers"),
    (lambda: PPO(hidden=(64, 0)), "ppo.hidden = (64, 0)", "one or more whole numbers"),
    (lambda: PPO(minibatches=0), "ppo.minibatches = 0", "whole number of at least 1"),
    (lambda: PPO(network="lstm"), "ppo.network = 'lstm'", "'mlp', 'gru'"),
    (lambda: PPO(minibatches=3), "ppo.minibatches = 3", "must divide the batch of 512 samples"),
    (lambda: Settings(steps=511), "steps = 511", "at least one rollout of 512"),
    (lambda: Settings(steps=1e5), "steps = 100000.0", "whole number of at least 1"),
    (lambda: Settings(evaluate_every=-1), "evaluate_every = -1", "whole number of at least 0"),
    (lambda: Settings(evaluation_episodes=0), "evaluation_episodes = 0", "whole number of at least 1"),
    (lambda: Settings("CartPole-v7"), "environment = 'CartPole-v7'", "one of CartPole-v1, StatelessCartPole-v1"),
    (lambda: Settings(dynamics=LeakyIntegrators()), "dynamics.kind = 'leaky_integrators'", "no readout to be blended"),
    (lambda: Settings(memory=CorrelatedNoise()), "memory.kind = 'correlated_noise'", "no random numbers"),
    (lambda: Settings(memory=EchoState(reset="never")), "memory.reset = 'never'", "must be 'episode'"),
    (lambda: Settings(memory=EchoState(normalise=True)), "memory.normalise = true", "must be false"),
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
        ({"blnd": {}}, "^blnd: no such setting; must be one of environment, steps, .*blend.* Did you mean 'blend'?"),
        ({"cell": {}}, r"^cell: no such setting; must be one of .* Did you mean 'dynamics'\?"),
        ({"dynamics": {"couplng": "ring"}}, r"^dynamics\.couplng: no such setting; .* Did you mean 'coupling'\?"),
        ({"dynamics": {"kind": "matrix"}}, r"^dynamics\.kind = 'matrix': .* Did you mean 'reaction_diffusion'\?"),
        ({"field": {}}, r"^field: no such setting; must be one of .* Did you mean 'dynamics'\?"),
        ({"ppo": {"lambda": 0.9}}, r"^ppo\.lambda: no such setting; must be one of .*gae_lambda"),
        ({"dynamics": {"coupling": "rign"}}, r"^dynamics\.coupling = 'rign': must be one of .* Did you mean 'ring'\?"),
        ({"guidance": {"kind": "blin"}}, r"^guidance\.kind = 'blin': must be one of .* Did you mean 'blind'\?"),
        ({"dynamics": {"kind": "noise"}}, r"^dynamics\.kind = 'noise': .* Did you mean 'correlated_noise'\?"),
        (
            {"memory": {"kind": "leaky"}},
            r"^memory\.kind = 'leaky': must be one of .* Did you mean 'leaky_integrators'\?",
        ),
        (
            {"memory": {"kind": "echo_state", "redraw": 0.5}},
            r"^memory\.redraw = 0\.5: must be 0 where memory\.reset is 'episode'\. Set memory\.reset = 'redraw'\.$",
        ),
        # What another kind has, and this one has not.
        ({"guidance": {"signal": "constant"}}, r"^guidance\.signal: no such setting; must be one of strength\."),
        (
            {"guidance": {"kind": "adaptive", "selection": "fittest"}},
            r"^guidance\.selection: no such setting; must be one of strength, sensitivity\.",
        ),
        (
            {"guidance": {"kind": "none", "exchange": "returns"}},
            r"^guidance\.exchange: no such setting; must be one of",
        ),
        (
            {"dynamics": {"kind": "echo_state", "scale": 1.0}},
            r"^dynamics\.scale: no such .* Did you mean 'input_scale'\?",
        ),
        ({"memory": {"kind": "echo_state", "gain": "10"}}, r"^memory\.gain = '10': must be a finite number"),
        ({"memory": {"kind": "leaky_integrators", "activator_gain": 1.0}}, r"^memory\.a.* Did you mean 'first_gain'\?"),
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
        {"dynamics": 3},
        {"dynamics": None},
        {"dynamics": {"kind": None}},
        {"guidance": {"kind": 3}},
        {"dynamics": {"initial": "positive", "activator_decay": 0.0}},
        {"dynamics": {"initial": "positive", "inhibitor_production": 0.0}},
        {"dynamics": {"activator_decay": -0.1}, "learned": {"parameters": ["dynamics.activator_decay"]}},
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
    dynamics=ReactionDiffusion(
        bound=INF, coupling="lattice", initial="positive", readout="difference", reset="never", normalise=True
    ),
    guidance=NoGuidance(-0.1),
    blend=Blend("add", 1.5, 0.25),
    memory=EchoState(wiring="cycle", gain=3.0),
    task=Task(sticky=True, repeat=0.5),
)
FIELD = Settings(dynamics=GiererMeinhardt(sites=16, readout="difference"), guidance=Modulated(0.1, signal="constant"))


@pytest.mark.parametrize("settings", [Settings(), UNUSUAL, FIELD, *(Settings(ppo=ppo) for ppo in PRESETS.values())])
def test_settings_survive_the_way_through_json(settings):
    there = json.dumps(to_dict(settings))
    back = from_dict(Settings, json.loads(there))
    assert back == settings
    assert json.dumps(to_dict(back)) == there


def test_settings_that_differ_in_one_value_are_not_equal():
    assert from_dict(Settings, {"guidance": {"strength": 0.1}}) != Settings()
    assert from_dict(Settings, {"dynamics": {"coupling": "ring"}}) != Settings()


def test_what_a_file_leaves_out_keeps_its_default():
    assert from_dict(Settings, {}) == Settings()
    assert from_dict(Settings, {"dynamics": {"coupling": "ring"}}) == Settings(
        dynamics=ReactionDiffusion(coupling="ring")
    )
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
    assert set(PRESETS) == {"standard", "tuned", "continuous", "sb3"}
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
ppo.network "mlp" ppo.activation "tanh" ppo.normalise_observations false ppo.normalise_rewards false
ppo.log_deviation 0.0 ppo.squash false ppo.filters 16 blend.kind "average" blend.weight 0.3
blend.distil 0.0 dynamics.kind "reaction_diffusion" guidance.kind "blind" memory.kind "none" task.sticky false
task.repeat 0.25
"""
RATES_OF_VERSION_3 = """
activator_diffusion 0.1 inhibitor_diffusion 0.4 activator_production 0.1 inhibitor_production 0.1
activator_decay 0.1 inhibitor_decay 0.2 drive 0.0 population 0.0 dt 1.0 epsilon 0.1 bound 10.0 initial_scale 0.1
coupling "mean" initial "signed" emphasis "linear" gate "none" readout "activator"
"""
KINDS_OF_VERSION_3 = {
    "clock": "frequency 0.02 spacing 40.0 amplitude 1.0",
    "independent_sines": "frequency 0.02 spread 0.3 amplitude 1.0",
    "stack": "frames 4 stride 1",
    "reaction_diffusion": RATES_OF_VERSION_3,
    "sign_flipped": RATES_OF_VERSION_3,
    "gierer_meinhardt": """sites 64 length 32.0 time 10.0 scale 1.0 drive 0.0 dt 1.0 initial_scale 0.1
        readout "activator" equation.activator_diffusion 0.005 equation.inhibitor_diffusion 0.2
        equation.activator_production 0.01 equation.inhibitor_production 0.02 equation.activator_decay 0.01
        equation.inhibitor_decay 0.02 equation.saturation 0.0 equation.floor 0.001""",
    "correlated_noise": "deviation 1.0 autocorrelation 0.9",
    "coloured_noise": "deviation 1.0 colour 1.0",
    "state_dependent_noise": "deviation 1.0",
    "echo_state": 'deviation 1.0 spectral_radius 0.9 input_scale 1.0 gain 10.0 wiring "random"',
    "leaky_integrators": """columns 2 first_fast 0.9 first_slow 0.4 second_fast 0.2 second_slow 0.05 first_gain 10.0
        second_gain 3.0 bound 10.0 production 0.0 first_diffusion 0.0 second_diffusion 0.0 epsilon 1.0""",
    "previous_observation": "gain 10.0",
    "none": "",
    "blind": "",
    "modulated": "sensitivity 1.0",
    "stabilise": "sensitivity 1.0",
    "win_stay": "sensitivity 1.0",
    "return_weighted": 'weight 0.1 signal "returns"',
    "explored_pattern": "size 1.0 diffusion 0.0",
    "fast_weights": "decay 0.0",
    "adaptive": "sensitivity 1.0",
    "three_factor": "trace_decay 0.97 caution 0.1",
}
OF_ALL = {
    Dynamics: 'reset "episode" redraw 0.0 normalise false ',
    Guidance: "strength 0.0 ",
    Surprised: 'signal "td_error" ',
    RewardAware: 'selection "none" exchange "equal" ',
}


def assert_defaults(settings, written):
    words = written.split()
    for name, value in zip(words[::2], words[1::2], strict=True):
        here = to_dict(settings)
        for step in name.split("."):
            here = here[step]
        assert here == (tuple(json.loads(value)) if name == "ppo.hidden" else json.loads(value)), name


def test_defaults_are_those_that_stored_runs_were_named_with():
    # A run's identity leaves defaults out. New settings and kinds may join; whoever changes a default here must raise
    # ALGORITHM_VERSION, and then writes the new defaults down.
    assert ALGORITHM_VERSION == 3
    assert_defaults(Settings(), DEFAULTS_OF_VERSION_3)
    for base in (Dynamics, Guidance):
        for kind in names(base):
            cls = resolve(base, kind)
            of_all = "".join(text for one, text in OF_ALL.items() if issubclass(cls, one))
            assert_defaults(cls(), of_all + KINDS_OF_VERSION_3.get(kind, ""))


def test_digest_leaves_out_defaults_and_nothing_else():
    assert Settings().digest == Settings("CartPole-v1", ppo=PPO(), dynamics=ReactionDiffusion(dt=1)).digest
    others = [
        Settings("StatelessCartPole-v1"),
        Settings(steps=50_000),
        Settings(ppo=PPO(discount=0.5)),
        Settings(ppo=PPO(gae_lambda=0.5)),
        Settings(dynamics=ReactionDiffusion(coupling="ring")),
        Settings(dynamics=SignFlipped()),
        Settings(dynamics=EchoState()),
        Settings(memory=EchoState()),
        Settings(memory=EchoState(gain=1.0)),
        Settings(guidance=Blind(strength=0.5)),
        Settings(guidance=NoGuidance(strength=0.5)),
        Settings(guidance=Modulated(strength=0.5)),
        Settings(blend=Blend(weight=0.5)),
        Settings(task=Task(sticky=True)),
    ]
    assert len({settings.digest for settings in [Settings(), *others]}) == 15
