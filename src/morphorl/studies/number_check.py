"""Whether the numbers of a training update on this machine are right: they are compared with double precision.

Releases of jaxlib have multiplied matrices wrongly, in programs batched as ours are, and said nothing. So a few agents
make updates as a study's do, and NumPy makes the same ones from the same rollouts (`ppo/numpy_reference.py`).
"""

import dataclasses
import importlib.metadata
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int, PRNGKeyArray

from morphorl.environments import registry
from morphorl.ppo import learning, numpy_reference, training
from morphorl.ppo.kernels import Kernel
from morphorl.ppo.networks import MLP
from morphorl.ppo.numpy_reference import Learner, Network, Numbers
from morphorl.ppo.rollout import Experience
from morphorl.ppo.settings import PPO, Settings
from morphorl.ppo.training import TrainState
from morphorl.studies.batch_training import RUNS, SAME, sharded
from morphorl.studies.batches import Stacked, stacked
from morphorl.studies.run import Run

SETTINGS = Settings(steps=2 * 1024, evaluate_every=0, evaluation_episodes=1, ppo=PPO(num_envs=8, epochs=2))
"""Two updates of the post's agent, in minibatches of 256 samples, whose products XLA gives to its library."""
AGENTS_A_DEVICE = 4
COMPARED = 4
"""How many agents are compared, spread over the batch."""
LIBRARY = "xla_cpu_experimental_ynn_fusion_type"
"""XLA's option that says which operations on a CPU go to its library of fused products; "" is none."""
ALLOWED, ALLOWED_ELSEWHERE = 1e-3, 0.1
"""The largest difference that passes, on a CPU and on accelerators, which may round the factors of products to 8 or 11
bits. Single precision gives up to 0.00015, factors of 11 bits 0.0025, of 8 bits 0.025, a product without its last
column 0.7 (eight agents, two updates)."""


class Difference(NamedTuple):
    """How far an update is from double precision: the largest relative difference, and of what."""

    size: float
    what: str


class Update(NamedTuple):
    """One update: of one agent, or of many with a leading axis on every array."""

    before: TrainState
    after: TrainState
    rollout: Experience
    orders: Int[Array, "*agents epochs batch"]
    """The order in which each epoch took the samples."""


class Verdict(NamedTuple):
    """Whether all is right, in a sentence."""

    right: bool
    sentence: str


# --- Updates ---------------------------------------------------------------------------------------------------------


def batch() -> Stacked:
    """The agents that are checked: a few for each device, which differ in their seeds."""
    seeds = range(AGENTS_A_DEVICE * len(jax.devices()))
    return stacked([Run("check", SETTINGS, seed, seed) for seed in seeds], frozenset())


def updates() -> list[Update]:
    """Updates of a batch of agents, divided among the devices as the trainer does it.

    The first starts from fresh agents, the second with what Adam has gathered.
    """
    env, (settings, seeds, cell_seeds) = registry.make_env(SETTINGS.environment), batch()

    def init(settings, seed, cell_seed):
        return training.init(settings, env, seed, cell_seed)

    def make(settings, state, index):
        after, rollout = training.observed_update(settings, env, state, index)
        orders = learning.shuffle(_key(state, index), settings.ppo.epochs, settings.ppo.batch)
        return Update(state, after, rollout, orders)

    state = sharded(jax.vmap(init), len(seeds), (RUNS, RUNS, RUNS))(settings, seeds, cell_seeds)
    program = sharded(jax.vmap(make, in_axes=(0, 0, None)), len(seeds), (RUNS, RUNS, SAME))
    made = [program(settings, state, jnp.array(0))]
    for index in range(1, SETTINGS.updates):
        made.append(program(settings, made[-1].after, jnp.array(index)))
    return made


def learned_without_library(made: list[Update]) -> list[Update]:
    """The same updates learned once more, from the same rollouts, by a program without fused products.

    Empty if this jaxlib has no such option.
    """
    program, given = _learning(made, "xla")
    lowered = program.lower(*given[0])
    try:
        program = lowered.compile(compiler_options={LIBRARY: ""})
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" in str(error):
            return []
        raise
    return [update._replace(after=program(*known)) for update, known in zip(made, given, strict=True)]


def learned_by_fused(made: list[Update]) -> list[Update]:
    """The same updates learned by the fused kernel, from the same rollouts, in the order in which it takes samples."""
    from morphorl.ppo.fused import kernel  # of the extra

    ppo, (program, given) = SETTINGS.ppo, _learning(made, "fused")

    def words(state, index):
        return jax.random.bits(_key(state, index), (ppo.epochs, ppo.batch))

    shuffled = kernel.shuffled.py_func  # pyright: ignore[reportFunctionMemberAccess]
    again = []
    for index, update in enumerate(made):
        drawn = np.asarray(jax.vmap(words, in_axes=(0, None))(update.before, jnp.array(index)))
        orders = [shuffled(own.reshape(-1), ppo.epochs, ppo.batch).reshape(ppo.epochs, -1) for own in drawn]
        again.append(update._replace(after=program(*given[index]), orders=jnp.array(orders)))
    return again


def _learning(made: list[Update], kernel: Kernel) -> tuple[jax.stages.Wrapped, list[tuple]]:
    """A program that learns from the updates' rollouts by a kernel, and what it is given for each."""
    env, (settings, seeds, _) = registry.make_env(SETTINGS.environment), batch()
    settings = dataclasses.replace(settings, kernel=kernel)

    def learn(settings, state, rollout_state, rollout, index):
        return training.improve(settings, env, state, rollout_state, rollout, _key(state, index), index)

    program = sharded(jax.vmap(learn, in_axes=(0, 0, 0, 0, None)), len(seeds), (RUNS, RUNS, RUNS, RUNS, SAME))
    states = [(one.before, one.after.rollout_state, one.rollout, jnp.array(i)) for i, one in enumerate(made)]
    return program, [(settings, *given) for given in states]


def _key(state: TrainState, index: Int[Array, ""]) -> PRNGKeyArray:
    """The key from which an update draws the order of its samples (`training.observed_update`)."""
    return jax.random.split(jax.random.fold_in(state.key, index), 3)[1]


# --- Verdict ---------------------------------------------------------------------------------------------------------


def check(made: list[Update]) -> Verdict:
    """Compare updates with double precision; on a CPU also as they are learned without fused products."""
    again = learned_without_library(made) if jax.default_backend() == "cpu" else []
    if not again:
        return judge({"": largest_difference(made)})
    return judge({" on": largest_difference(made), " off": largest_difference(again)})


def check_fused(made: list[Update]) -> Verdict:
    """Compare what the fused kernel learns in the same updates with double precision."""
    size, what = largest_difference(learned_by_fused(made))
    if size <= ALLOWED:
        return Verdict(True, f"a training update by the fused kernel agrees with float64 to {size:.0e}")
    return Verdict(
        False,
        f"{what} differ from float64 by {size:.0e} of their size in a training update by the fused kernel; rounding "
        f"gives less than {ALLOWED:.0e}. Its results on this machine would be wrong: train with --kernel xla.",
    )


def judge(found: dict[str, Difference]) -> Verdict:
    """The sentence for differences found with fused products " on" and " off", or in a program as it is ("")."""
    allowed = ALLOWED if jax.default_backend() == "cpu" else ALLOWED_ELSEWHERE
    wrong = {how: one for how, one in found.items() if one.size > allowed}
    largest, what = max((wrong or found).values())
    if not wrong:
        products = "fused products on and off" if len(found) > 1 else "its products as they are"
        return Verdict(True, f"a training update agrees with float64 to {largest:.0e} ({products})")
    products = f", with fused products{' and'.join(wrong)}" if len(found) > 1 else ""
    remedy = f", or set XLA_FLAGS=--{LIBRARY}= to do without fused products" if list(wrong) == [" on"] else ""
    return Verdict(
        False,
        f"{what} differ from float64 by {largest:.0e} of their size in a training update{products}; rounding gives "
        f"less than {allowed:.0e}. Results of jaxlib {importlib.metadata.version('jaxlib')} on this machine would be "
        f"wrong: install another version{remedy}.",
    )


# --- Comparing -------------------------------------------------------------------------------------------------------


def largest_difference(made: list[Update]) -> Difference:
    """The largest difference of some agents of a batch over its updates."""
    agents = sorted(set(np.linspace(0, len(made[0].orders) - 1, COMPARED).astype(int).tolist()))
    arrays = enumerate(jax.tree.map(_on_host, made))
    return max(difference(jax.tree.map(lambda u, k=k: u[k], one), index) for index, one in arrays for k in agents)


def difference(update: Update, index: int) -> Difference:
    """How far one agent's update number `index` is from double precision.

    Differences of weights are relative to how far the update moved them.
    """
    before, after, rollout = learner_of(update.before), learner_of(update.after), update.rollout
    samples = numpy_reference.prepare(SETTINGS, before, rollout, _double(update.after.rollout_state.observation))
    minibatches = np.asarray(update.orders).reshape(SETTINGS.ppo.epochs * SETTINGS.ppo.minibatches, -1)
    rate = SETTINGS.ppo.learning_rate * (1 - index / SETTINGS.annealing_updates)
    expected = numpy_reference.learn(SETTINGS, before, samples, minibatches, rate)
    logits = numpy_reference.forward(before.actor, samples.observation)[-1]
    return max(
        _relative("the logits", numpy_reference.columns(_double(rollout.logits)), logits),
        _relative("the readouts", *_last_readouts(update)),
        *_moved("the changes of the policy's weights", after.actor, expected.actor, before.actor),
        *_moved("the changes of the value network's weights", after.critic, expected.critic, before.critic),
    )


def learner_of(state: TrainState) -> Learner:
    """What an update changes, for the reference."""
    steps, mean, square = (optax.tree.get(state.optimiser, name) for name in ("count", "mu", "nu"))
    gathered = [[*_arrays(moment.actor), *_arrays(moment.critic)] for moment in (mean, square)]
    return Learner(_arrays(state.agent.actor), _arrays(state.agent.critic), int(steps), *gathered)


def _last_readouts(update: Update) -> tuple[Numbers, Numbers]:
    """The readouts of a rollout's last step, and o_k = Σ_i x_i·a_ik from the cells where no episode ended with it."""
    rollout = update.rollout
    goes_on = ~np.asarray(rollout.terminated | rollout.truncated)[-1]
    activator = _double(update.after.rollout_state.cells.activator)
    expected = np.einsum("ie,ike->ke", _double(rollout.observation)[-1], activator)
    return _double(rollout.readout)[-1][:, goes_on], expected[:, goes_on]


def _moved(what: str, found: Network, expected: Network, before: Network) -> list[Difference]:
    moves = zip(found, expected, before, strict=True)
    return [_relative(what, array - start, right - start) for array, right, start in moves]


def _relative(what: str, found: Numbers, expected: Numbers) -> Difference:
    """‖found − expected‖/‖expected‖; infinite where a number is not finite."""
    size = float(np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30))
    return Difference(size if np.isfinite(size) else np.inf, what)


def _arrays(network: MLP) -> Network:
    return [_double(array) for layer in zip(network.weights, network.biases, strict=True) for array in layer]


def _double(array: object) -> Numbers:
    return np.asarray(array, np.float64)


def _on_host(array: Array) -> Array | np.ndarray:
    return array if jnp.issubdtype(array.dtype, jax.dtypes.prng_key) else np.asarray(array)
