"""The page computes what the package computes: agents and cells, CartPole, PPO's update, and the field."""

import json
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.agents import KINDS, agent
from helpers.browsers import chromium, needs_chromium
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, Grid, perturbed, simulate
from morphorl.dynamics.pde.linear_theory import guided, steady_state
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.cartpole import CartPoleState, has_fallen, move, stateless, whole
from morphorl.environments.wrappers import memory_of
from morphorl.ppo import numpy_reference
from morphorl.ppo.agent import policy_step
from morphorl.ppo.rollout import Experience
from morphorl.ppo.settings import PPO, Settings
from morphorl.report.playground import assemble, playground_data, playground_page
from morphorl.report.playground.live_agents import live, single

pytestmark = needs_chromium
STEPS = 1_000
AGENTS = {
    "guided cell": Settings(guidance=Blind(strength=0.02)),
    "lattice, softmax, a − h": KINDS["tuned, softmax on a lattice"],
    "ring, winner, rows that stand still": Settings(
        dynamics=ReactionDiffusion(coupling="ring", emphasis="winner", gate="rows", bound=2.0),
        guidance=Blind(strength=0.1),
        blend=Blend(kind="add"),
    ),
    "a linear path": Settings(ppo=PPO(skip=True, hidden=(8,)), guidance=Blind(strength=0.02)),
    "partner, positive": Settings(dynamics=ReactionDiffusion(coupling="partner", initial="positive")),
    "memory": Settings(
        "StatelessCartPole-v1",
        memory=LeakyIntegrators(production=0.005, first_diffusion=0.02, second_diffusion=0.08),
        guidance=Blind(strength=0.001),
        blend=Blend(kind="none"),
    ),
    "memory and cell": KINDS["memory"],
}
PLAY = (Path(__file__).parent / "play_steps.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("playground") / "playground.html"
    file.write_text(playground_page.page([], "morphorl play"), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def page(path):
    with chromium() as browser:
        page = browser.new_page(reduced_motion="reduce")
        page.goto(path.as_uri())
        yield page


def disturbances(settings):
    """Pushes of cart and pole at every 37th step, and at every 90th an entry of the activator that is painted."""
    rng = np.random.default_rng(0)
    pushes = {str(t): [0, rng.normal(), 0, rng.normal()] for t in range(0, STEPS, 37)}
    if settings.blend.kind == "none":
        return pushes, {}
    entries = 8
    return pushes, {str(t): [[int(rng.integers(entries)), float(rng.choice([-2, 0, 2]))]] for t in range(50, STEPS, 90)}


def replayed(settings, one, seen, paints):
    """What JAX makes of the observations that the page's agent saw, and of what was painted."""
    entries = one.pattern.activator.size if settings.blend.kind != "none" else 0
    masks, values = np.zeros((STEPS, entries), bool), np.zeros((STEPS, entries), np.float32)
    for t, painted in paints.items():
        for entry, value in painted:
            masks[int(t), entry], values[int(t), entry] = True, value

    def step(cells, now):
        observation, mask, value = now
        if entries:
            a = cells.activator
            cells = cells._replace(activator=jnp.where(mask.reshape(a.shape), value.reshape(a.shape), a))
        cells, output = policy_step(settings, one, cells, observation[:, None])
        activator = cells.activator.ravel() if entries else jnp.zeros(0)
        return cells, (output.logits[:, 0], output.readout[:, 0], output.blended[:, 0], activator)

    cells = jax.tree.map(lambda u: jnp.asarray(u)[..., None], one.pattern)
    return jax.jit(lambda *now: jax.lax.scan(step, cells, now)[1])(seen, masks, values)


def states(array):
    return CartPoleState(*np.asarray(array, np.float32).T, time=np.zeros(len(array), np.int32))


@pytest.mark.parametrize("name", AGENTS)
def test_agent_and_cell_do_what_they_do_in_jax_for_1000_steps(page, name):
    settings = AGENTS[name]
    one = single(agent(settings).arrays, 0)
    if settings.ppo.skip:
        one = eqx.tree_at(lambda u: u.actor.skip, one, np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32))
    pushes, paints = disturbances(settings)
    written = live(settings, one, 1.0)
    told = page.evaluate(PLAY, [written, playground_data.constants(), STEPS, pushes, paints])
    found = {key: np.asarray(column) for key, column in told.items()}
    names = ("network", "readout", "blended", "activator")
    for key, expected in zip(names, replayed(settings, one, found["seen"].astype(np.float32), paints), strict=True):
        np.testing.assert_allclose(found[key].reshape(STEPS, -1), expected, rtol=1e-5, atol=1e-5, err_msg=key)
    gap = np.abs(found["blended"][:, 0] - found["blended"][:, 1])
    sure = gap > 1e-4 * np.abs(found["blended"]).max(1)
    assert sure.mean() > 0.9
    assert (found["action"] == found["blended"].argmax(1))[sure].all()
    moved = jax.vmap(move)(states(found["cart"] + found["push"]), found["action"])
    np.testing.assert_allclose(found["after"], jax.vmap(whole)(moved), atol=1e-5)
    assert (np.asarray(jax.vmap(has_fallen)(moved)) == found["fallen"]).mean() > 0.999
    if settings.memory.kind != "none":
        memory = memory_of(settings.memory, settings.guidance, (2, 2))
        expected = remembered(memory, jax.vmap(stateless)(states(found["cart"])), found["fallen"])
        np.testing.assert_allclose(found["seen"], expected, rtol=1e-5, atol=1e-5)
    assert found["fallen"].sum() < STEPS / 5


def remembered(memory, observations, fallen):
    """What a memory shows of observations; each episode begins anew."""

    def step(state, now):
        observation, begins = now
        fresh = memory.start(observation)
        shown = jnp.where(begins, memory.show(fresh, observation), memory.show(state, observation))
        return jax.tree.map(partial(jnp.where, begins), fresh, memory.step(state, observation)), shown

    begins = jnp.asarray(np.r_[True, fallen[:-1]])
    return jax.jit(lambda *now: jax.lax.scan(step, memory.start(observations[0]), now)[1])(observations, begins)


def test_the_field_does_what_it_does_in_jax_for_200_steps(page):
    equation, grid = guided(PRESETS["stripes"], 0.0005), Grid(dims=2, size=32, length=24.0)
    start = np.asarray(perturbed(steady_state(equation), grid, jax.random.key(0), scale=0.3))
    end, _ = simulate(equation, grid, jnp.asarray(start), 4.0, 200, order=1)
    values = {name: float(getattr(equation, name)) for name in playground_data.field()["equation"]}
    found = page.evaluate(
        """([equation, a, h]) => {
            const { field, advance } = makeField({ size: 32, length: 24 }, 4, a, h);
            advance(equation, 200);
            return [Array.from(field.activator), Array.from(field.inhibitor)];
        }""",
        [values, *start.reshape(2, -1).astype(float).tolist()],
    )
    assert np.ptp(end[0]) > 0.1  # there is a pattern to agree about
    np.testing.assert_allclose(np.reshape(found, end.shape), end, atol=1e-4)


UPDATE = (Path(__file__).parent / "one_update.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("way", "apart"), [("plain", 1e-6), ("fast", 1e-4)])  # the kernels have single precision
def test_an_update_of_ppo_is_that_of_the_numpy_reference(page, way, apart):
    ppo = PPO(entropy_coefficient=0.01, num_envs=4, rollout_steps=32, hidden=(8, 8))
    settings = Settings(ppo=ppo, guidance=Blind(strength=0.05))
    task = playground_data.training() | {"constants": playground_data.constants(), "strength": 0.05}
    task["ppo"] = task["ppo"] | {
        name: getattr(ppo, name)
        for name in (
            "entropy_coefficient",
            "num_envs",
            "rollout_steps",
            "hidden",
            "value_clip",
            "discount",
            "gae_lambda",
        )
    }
    task["ppo"]["normalise_observations"] = False
    told = page.evaluate(UPDATE, [task, way == "fast"])
    time, envs = ppo.rollout_steps, ppo.num_envs
    rows = lambda name, width: np.reshape(told[name], (time, envs, width)).transpose(0, 2, 1)  # noqa: E731
    shapes = [(8, 4), (8,), (8, 8), (8,), (2, 8), (2,)], [(8, 4), (8,), (8, 8), (8,), (1, 8), (1,)]

    def shaped(nets):
        pairs = zip(nets, shapes, strict=True)
        return [[np.reshape(u, s).astype(float) for u, s in zip(*pair, strict=True)] for pair in pairs]

    actor, critic = shaped(told["before"])
    zeros = [np.zeros_like(u) for u in actor + critic]
    learner = numpy_reference.Learner(actor, critic, 0, zeros, zeros)
    observation = rows("raw", 4)
    logits = numpy_reference.forward(actor, numpy_reference.columns(observation))[-1].reshape(2, time, envs)
    flags = {name: np.reshape(told[name], (time, envs)).astype(bool) for name in ("terminated", "truncated")}
    assert flags["truncated"].any()
    assert flags["terminated"].any()
    rollout = Experience(
        observation=observation,
        final_observation=rows("finals", 4),
        logits=logits.transpose(1, 0, 2),
        readout=rows("readout", 2),
        action=np.reshape(told["action"], (time, envs)),
        reward=np.ones((time, envs)),
        episode_return=np.zeros((time, envs)),
        at_bound=np.zeros(time),
        **flags,
    )
    samples = numpy_reference.prepare(settings, learner, rollout, np.reshape(told["last"], (envs, 4)).T)
    np.testing.assert_allclose(told["advantages"], samples.advantage, atol=1e-5)
    minibatches = [np.asarray(chosen) for chosen in told["minibatches"]]
    learned = numpy_reference.learn(settings, learner, samples, minibatches, 1e-2)
    after = [u for net in shaped(told["after"]) for u in net]
    for found, expected, before in zip(after, [*learned.actor, *learned.critic], actor + critic, strict=True):
        np.testing.assert_allclose(found, expected, atol=apart)
        assert np.abs(found - before).max() > 1e-3


FEW_STEPS = """([sizes, rows, fast]) => {
    const random = makeRandom(1);
    const networks = [firstLayers(random, sizes, 1), firstLayers(random, [...sizes.slice(0, -1), 1], 1)];
    const make = fast ? (...given) => makeFastLearner(compileKernels(data.kernels), ...given) : makePlainLearner;
    const learner = make(networks, rows + 5), numbers = (count) => Float64Array.from({ length: count }, random.normal);
    const outputs = [];
    for (let step = 0; step < 20; step++) {
        const x = numbers(rows * sizes[0]);
        for (const [n, pass] of learner.passes.entries()) {
            const wide = n ? 1 : sizes.at(-1);
            pass.forward(numbers((rows + 5) * sizes[0]), rows + 5); // more rows than what is learned from
            outputs.push(...pass.forward(x, rows).slice(0, rows * wide));
            pass.backward(numbers(rows * wide), rows);
        }
        learner.descend(0.01, 0.5);
    }
    return [outputs, learner.weights().flat().flatMap((u) => Array.from(u))];
}"""


@pytest.mark.parametrize(("sizes", "rows"), [((4, 64, 64, 2), 64), ((3, 10, 7, 2), 13), ((5, 9, 3), 1), ((6, 4), 3)])
def test_the_kernels_learn_what_plain_javascript_learns(page, sizes, rows):
    plain, fast = (page.evaluate(FEW_STEPS, [sizes, rows, fast]) for fast in (False, True))
    for name, one, other in zip(("outputs", "weights"), plain, fast, strict=True):
        np.testing.assert_allclose(other, one, atol=2e-4, err_msg=name)
    assert np.std(plain[0]) > 0.1


def test_tanh_of_the_kernels_is_tanh(page):
    inputs = np.concatenate([np.linspace(-12, 12, 4001), np.linspace(-1e-3, 1e-3, 101), [0, 1e-30, -1e30, 1e30]])
    inputs = inputs[: len(inputs) // 4 * 4].astype(np.float32)
    found = page.evaluate(
        """(inputs) => {
            const memory = new WebAssembly.Memory({ initial: 1 }), numbers = new Float32Array(memory.buffer);
            const { exports } = new WebAssembly.Instance(compileKernels(data.kernels), { page: { memory } });
            numbers.set(inputs);
            exports.tanh(0, inputs.length);
            return Array.from(numbers.subarray(0, inputs.length));
        }""",
        inputs.tolist(),
    )
    np.testing.assert_allclose(found, np.tanh(inputs.astype(float)), rtol=1e-6)


def test_the_kernels_that_come_along_are_what_their_text_says():
    assert playground_data.KERNELS.read_bytes() == assemble.assembled()


def test_kernels_that_a_browser_cannot_have_are_none(page):
    assert page.evaluate("compileKernels(btoa('no kernels'))") is None


TO_THRESHOLD = """([seed, every, most]) => {
    const { training, constants } = data, batch = training.ppo.num_envs * training.ppo.rollout_steps, points = [];
    const plain = { constants, cell: null, blend: "none", strength: 0, interval: every / batch, updates: most / batch };
    for (const point of runTraining({ ...training, ...plain }, seed, compileKernels(data.kernels))) {
        points.push(point);
        if (Number.isFinite(stepsTo(points, constants.threshold))) break;
    }
    return stepsTo(points, constants.threshold);
}"""
CLAIMS = Path(__file__).parents[3] / "docs" / "results" / "claims" / "tuned" / "summary.json"


@pytest.mark.slow
def test_ppo_in_the_page_learns_as_ours_does(page):
    """The median of 32 seeds is within our interval; `benchmarks/playground.py` prints its own, too."""
    ours = json.loads(CLAIMS.read_text(encoding="utf-8"))["CartPole-v1"]["plain PPO"]["steps_to_threshold"]
    steps = [page.evaluate(TO_THRESHOLD, [seed, 2_048, 98_304]) for seed in range(32)]
    assert ours["low"] <= np.median(steps) <= ours["high"]
