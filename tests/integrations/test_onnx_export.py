"""Agents as files: the ONNX graph beside JAX, the model card, and files that are refused."""

import json
import pickle
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from helpers.agents import KINDS, agent
from morphorl.config.errors import SettingError
from morphorl.config.fields import FRACTION, setting
from morphorl.config.files import checksum
from morphorl.config.plain import to_dict
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.coloured_noise import ColouredNoise
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.sign_flipped import SignFlipped
from morphorl.environments import registry
from morphorl.integrations import model_card, onnx_export
from morphorl.ppo import checkpoints, task
from morphorl.ppo.agent import policy_step, spread
from morphorl.ppo.checkpoints import Agents, AgentsError
from morphorl.ppo.settings import Settings


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_and_the_saved_agent_act_the_same_over_1000_steps(kind, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    checkpoints.save_agents(agent(KINDS[kind]), tmp_path)
    assert onnx_export.to_onnx(checkpoints.load_agents(tmp_path), tmp_path / "agent.onnx") < 1e-4


def test_a_policy_of_plain_arrays_plays_as_the_trainer_evaluates():
    """The same episodes through `rollout.evaluate` and step by step, with a memory that begins with each of them."""
    one = agent(KINDS["memory"])
    acting = onnx_export.policy(KINDS["memory"], jax.tree.map(lambda u: jnp.asarray(u)[0], one.arrays), 2)
    env = registry.make_env("StatelessCartPole-v1")
    around = task.around(KINDS["memory"], env)
    step, state = jax.jit(acting.step), list(acting.initial.values())
    inner, observation = around.reset(jax.random.key(0))
    cells = spread(jax.tree.map(lambda u: u[0], one.arrays.pattern), 1)
    for _ in range(6):
        logits, action, *state = step(observation[:2], *state)
        cells, output = policy_step(
            KINDS["memory"], jax.tree.map(lambda u: u[0], one.arrays), cells, observation[:, None]
        )
        np.testing.assert_allclose(logits, output.blended[:, 0], atol=1e-5)
        after = around.step(jax.random.key(1), inner, action)
        inner, observation = after.state, after.observation


def test_the_state_is_explicit_and_its_start_in_the_file(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    one = agent(KINDS["guided"])
    onnx_export.to_onnx(one, tmp_path / "agent.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "agent.onnx")
    assert {i.name: i.shape for i in session.get_inputs()} == {
        "observation": [4],
        "activator": [4, 2],
        "inhibitor": [4, 2],
    }
    assert [o.name for o in session.get_outputs()] == ["logits", "action", "activator_next", "inhibitor_next"]
    told = session.get_modelmeta().custom_metadata_map
    assert told["schema"] == onnx_export.ONNX_SCHEMA
    initial = json.loads(told["initial_state"])
    np.testing.assert_array_equal(np.float32(initial["activator"]), one.arrays.pattern.activator[0])


def test_a_graph_of_another_agent_is_noticed(tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    onnx_export.to_onnx(agent(KINDS["plain"]), tmp_path / "agent.onnx")
    other = jax.tree.map(lambda u: jnp.asarray(u)[0], agent(KINDS["plain"], seed=4).arrays)
    with pytest.raises(SettingError, match=r"chooses action . where JAX chooses"):
        onnx_export.check(
            tmp_path / "agent.onnx", onnx_export.policy(KINDS["plain"], other, 4), "CartPole-v1", steps=200
        )


@pytest.mark.parametrize("system", [CorrelatedNoise(), ColouredNoise(), SignFlipped()], ids=lambda one: one.kind)
def test_systems_that_need_chance_are_refused(system):
    one = agent(Settings(dynamics=system))
    with pytest.raises(SettingError, match=rf"^dynamics\.kind = '{system.kind}': must be .* without random numbers"):
        onnx_export.policy(one.settings[0], jax.tree.map(lambda u: u[0], one.arrays), 4)


class Matrix(Dynamics):
    """A system of somebody's own, whose state is a single matrix."""

    rate: float = setting(0.1, FRACTION)

    def init(self, key, shape):
        return 0.5 * jax.random.normal(key, shape)

    def step(self, state, observation, guide):
        return jnp.clip(state + self.rate * (observation[:, None] - state) + guide(state, read=True), -3.0, 3.0)

    def read(self, state, observation):
        return state.sum(0)


class Pair(NamedTuple):
    action: jax.Array
    """A name that outputs of the graph have too."""
    clock: jax.Array


class Nested(Matrix):
    """One whose state is a dictionary of a vector, and of a vector and a number with names."""

    def init(self, key, shape):
        return {"seen": jnp.zeros(shape[0]), "pair": Pair(jax.random.normal(key, shape[1:]), jnp.zeros(()))}

    def step(self, state, observation, guide):
        pair = state["pair"]
        action = jnp.tanh(pair.action + self.rate * observation.sum() + guide(pair.action))
        return {"seen": observation, "pair": Pair(action, pair.clock + 1.0)}

    def read(self, state, observation):
        return state["pair"].action * (state["seen"].sum() + jnp.exp(-0.1 * state["pair"].clock))


class Named(Nested):
    """The same with the names of the pair alone."""

    def init(self, key, shape):
        return super().init(key, shape)["pair"]

    def step(self, state, observation, guide):
        return super().step({"pair": state}, observation, guide)["pair"]

    def read(self, state, observation):
        return super().read({"pair": state, "seen": observation}, observation)


OWN = {Matrix: ["state"], Nested: ["pair.action", "pair.clock", "seen"], Named: ["state.action", "clock"]}


@pytest.mark.parametrize("system", OWN, ids=lambda system: system.__name__)
def test_a_state_may_be_any_pytree_of_arrays(system, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    one = agent(Settings(dynamics=system(), guidance=Blind(strength=0.05)))
    assert onnx_export.to_onnx(one, tmp_path / "agent.onnx") < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "agent.onnx")
    assert [i.name for i in session.get_inputs()] == ["observation", *OWN[system]]
    assert [o.name for o in session.get_outputs()] == ["logits", "action", *(f"{name}_next" for name in OWN[system])]


def test_what_is_not_translated_is_named(tmp_path):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    with pytest.raises(SettingError, match=r"the agent computes '.*', which is not translated to ONNX"):
        onnx_export.to_onnx(agent(Settings(dynamics=GiererMeinhardt())), tmp_path / "agent.onnx")


def test_one_seed_is_taken_from_many():
    first, second = agent(KINDS["plain"], 3), agent(KINDS["plain"], 5)
    both = Agents(
        first.settings * 2, [3, 5], jax.tree.map(lambda a, b: np.concatenate([a, b]), first.arrays, second.arrays)
    )
    assert checkpoints.one(both, None).seeds == [3]
    jax.tree.map(np.testing.assert_array_equal, checkpoints.one(both, 5).arrays, second.arrays)
    with pytest.raises(SettingError, match="seed = 4: must be one of 3, 5"):
        checkpoints.one(both, 4)


def test_the_card_tells_environment_seeds_and_interval_and_its_metadata_are_yaml():
    both = Agents(KINDS_GUIDED, [0, 1], agent(KINDS["guided"]).arrays)
    text = model_card.card(both, np.array([[500.0, 400.0], [300.0, 200.0]]), ["agents.json"], 1e-7)
    head, body = text.split("---\n")[1:3]
    assert "library_name: morphorl" in head
    assert '      type: "CartPole-v1"' in head
    assert "IQM over 2 agents, greedy, 2 episodes each" in head
    assert "IQM 350.0 (95% interval 250.0 to 450.0)" in body
    assert "| `guidance.strength` | 0.1 |" in body
    assert "load_agents(" in body
    assert 'InferenceSession("agent.onnx")' in body


def test_the_card_compares_a_system_with_the_defaults_of_its_own_class():
    settings = replace(KINDS["guided"], dynamics=EchoState(deviation=2.0), memory=LeakyIntegrators())
    both = Agents([settings], [0], agent(KINDS["guided"]).arrays)
    rows = [line for line in model_card.card(both, np.ones((1, 2)), [], None).splitlines() if "`dynamics" in line]
    assert rows == ["| `dynamics.kind` | echo_state |", "| `dynamics.deviation` | 2 |"]


KINDS_GUIDED = [KINDS["guided"]] * 2


# --- Files that are refused -------------------------------------------------------------------------------------------


class Executes:
    def __reduce__(self):
        return exec, ("raise SystemExit('a file was executed')",)


def rewrite(change):
    """Change the named arrays of the saved agent."""

    def damage(folder):
        path = folder / "agents.safetensors"
        arrays = safetensors.numpy.load_file(path)
        change(arrays)
        safetensors.numpy.save_file(arrays, path)
        rewrite_json(arrays=checksum(path))(folder)

    return damage


def rewrite_json(**changes):
    def damage(folder):
        path = folder / "agents.json"
        write_sealed_json(path, read_sealed_json(path) | changes)

    return damage


def overwrite(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def truncate(folder):
    path = folder / "agents.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


DAMAGES = {
    "wrong shape": (
        rewrite(lambda a: a.update({"actor.weights.0": np.zeros((1, 64, 3), np.float32)})),
        r"actor\.weights\.0 has shape \(1, 64, 3\); must be \(1, 64, 4\)",
    ),
    "wrong type": (
        rewrite(lambda a: a.update({"actor.biases.0": np.zeros((1, 64), np.float64)})),
        r"actor\.biases\.0 holds float64; must be float32",
    ),
    "missing array": (rewrite(lambda a: a.pop("actor.biases.0")), r"actor\.biases\.0 has shape None"),
    "stray array": (rewrite(lambda a: a.update(extra=np.zeros(1))), "holds 'extra', which these settings have no"),
    "no numbers": (
        rewrite(lambda a: a.update({"actor.biases.0": np.full((1, 64), np.nan, np.float32)})),
        r"actor\.biases\.0 holds numbers that are not finite",
    ),
    "truncated": (truncate, r"agents\.safetensors: is damaged, or belongs to other agents"),
    "no arrays": (lambda folder: (folder / "agents.safetensors").unlink(), r"agents\.safetensors: is missing"),
    "arrays are a pickle": (
        lambda folder: (
            overwrite("agents.safetensors", pickle.dumps(Executes()))(folder),
            rewrite_json(arrays=checksum(folder / "agents.safetensors"))(folder),
        ),
        r"agents\.safetensors: is missing or damaged",
    ),
    "settings are a pickle": (overwrite("agents.json", pickle.dumps(Executes())), r"agents\.json: is damaged"),
    "unknown schema": (rewrite_json(schema="morphorl.agents/99"), "schema is 'morphorl.agents/99'; must be 'morph"),
    "no schema": (overwrite("agents.json", b"[]"), r"agents\.json: is damaged"),
    "seeds and settings differ": (rewrite_json(seeds=[1, 2]), "has 2 seeds and 1 settings"),
    "an unknown setting": (
        rewrite_json(settings=[{"dynamics": {"import": "os"}}]),
        r"dynamics\.import: no such setting",
    ),
    "seeds that come twice": (
        rewrite_json(seeds=[1, 1], settings=[to_dict(KINDS["guided"])] * 2),
        r"seeds = \[1, 1\]: must be different whole numbers",
    ),
    "a seed that is none": (rewrite_json(seeds=[1.5]), r"seeds = \[1\.5\]: must be different whole numbers"),
    "seeds that are no list": (rewrite_json(seeds=10**10), r"seeds = 10000000000: must be different whole numbers"),
    "edited": (overwrite("agents.json", b"{}"), r"agents\.json: is damaged, or was edited"),
    "an empty list": (rewrite_json(settings=[], seeds=[]), "has 0 seeds and 0 settings"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_agent_is_refused_in_a_sentence(name, tmp_path):
    damage, sentence = DAMAGES[name]
    checkpoints.save_agents(agent(KINDS["guided"]), tmp_path)
    damage(tmp_path)
    with pytest.raises(AgentsError, match=sentence) as error:
        checkpoints.load_agents(tmp_path)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")
