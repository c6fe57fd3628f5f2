"""Choices: a program that mixes readings does what the program of each single reading does."""

import dataclasses
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.config.choices import Choice, Mixed, mix, mixed_choices, program_of
from morphorl.dynamics.blending import Blend, blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion, couple, emphasise
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.batches import programs
from morphorl.studies.run import Run

NAMES = {
    "coupling": ("mean", "ring", "lattice", "partner"),
    "initial": ("signed", "positive"),
    "emphasis": ("linear", "softmax", "winner"),
    "readout": ("activator", "difference"),
}
SMALL = PPO(num_envs=2, rollout_steps=32, minibatches=2, hidden=(8,), learning_rate=1e-2)
BASE = Settings(steps=512, evaluate_every=256, evaluation_episodes=2, ppo=SMALL, guidance=Blind(strength=0.1))


def index(name, names):
    return Mixed(jnp.array(float(names.index(name))), names)


@pytest.mark.parametrize("coupling", NAMES["coupling"])
def test_coupling_by_index_is_coupling_by_name(coupling):
    a, h = jax.random.normal(jax.random.key(0), (2, 4, 3))
    np.testing.assert_array_equal(couple(index(coupling, NAMES["coupling"]), a, h), couple(coupling, a, h))


@pytest.mark.parametrize("emphasis", NAMES["emphasis"])
def test_emphasis_by_index_is_emphasis_by_name(emphasis):
    x = jnp.array([0.3, -2.0, 0.7])
    np.testing.assert_array_equal(emphasise(index(emphasis, NAMES["emphasis"]), x), emphasise(emphasis, x))


def test_the_place_of_a_name_does_not_depend_on_the_order_in_which_a_function_lists_it():
    backwards = ("lattice", "ring", "mean")
    u = jax.random.normal(jax.random.key(0), (4, 3))
    np.testing.assert_array_equal(couple(index("lattice", backwards), u), couple("lattice", u))


@pytest.mark.optimised
@pytest.mark.parametrize("initial", NAMES["initial"])
@pytest.mark.parametrize("readout", NAMES["readout"])
def test_a_cell_steps_alike_whether_its_choices_are_names_or_indices(initial, readout):
    cell = ReactionDiffusion(initial=initial, readout=readout, coupling="ring", emphasis="softmax")
    places = mixed_choices(
        [
            ReactionDiffusion(),
            ReactionDiffusion(coupling="ring", initial="positive", emphasis="softmax", readout="difference"),
        ]
    )
    assert len(places) == 4
    mixed = mix(cell, places)
    assert isinstance(mixed.coupling, Mixed)
    states = [one.init(jax.random.key(1), (4, 2)) for one in (cell, mixed)]
    for _ in range(3):
        states = [
            one.step(state, jnp.arange(4.0), Blind(strength=0.1))
            for one, state in zip((cell, mixed), states, strict=True)
        ]
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)
    reads = [one.read(ActivatorInhibitor(*states[0]), jnp.arange(4.0)) for one in (cell, mixed)]
    np.testing.assert_array_equal(*reads)


@pytest.mark.parametrize("kind", ["average", "add"])
def test_blending_by_index_is_blending_by_name(kind):
    logits, readout = jnp.array([1.0, 2.0]), jnp.array([5.0, -3.0])
    settings = Blend(kind=kind)
    mixed = mix(settings, mixed_choices([Blend("average"), Blend("add")]))
    np.testing.assert_array_equal(blend(mixed, logits, readout), blend(settings, logits, readout))


def test_what_differs_only_in_choices_shares_a_program_and_an_agent_without_a_cell_does_not():
    base = program_of(BASE)
    alike = [
        dataclasses.replace(BASE, dynamics=ReactionDiffusion(coupling="ring")),
        dataclasses.replace(BASE, dynamics=ReactionDiffusion(readout="difference", initial="positive", bound=2.0)),
        dataclasses.replace(BASE, blend=Blend("add")),
    ]
    apart = [
        dataclasses.replace(BASE, blend=Blend("none")),
        dataclasses.replace(BASE, dynamics=ReactionDiffusion(normalise=True)),
        dataclasses.replace(BASE, dynamics=ReactionDiffusion(reset="redraw")),
        dataclasses.replace(BASE, environment="StatelessCartPole-v1"),
    ]
    assert all(program_of(settings) == base for settings in alike)
    assert all(program_of(settings) != base for settings in apart)


def test_a_choice_on_which_all_runs_agree_stays_part_of_the_program():
    runs = [
        Run("a", dataclasses.replace(BASE, dynamics=ReactionDiffusion(coupling="ring")), seed, seed)
        for seed in range(3)
    ]
    (program,) = programs(runs)
    assert program.mixed == frozenset()
    assert mix(runs[0].settings, program.mixed) is runs[0].settings


def test_a_choice_is_a_plain_name_that_survives_pickling():
    cell = ReactionDiffusion(coupling="ring")
    back = pickle.loads(pickle.dumps(cell))
    assert back == cell
    assert isinstance(back.coupling, Choice)
    assert back.coupling == "ring"
    assert back.coupling.names == NAMES["coupling"]
    assert program_of(back) == program_of(cell)


def test_training_in_a_mixed_program_is_training_in_the_program_of_one_reading():
    readings = [
        dataclasses.replace(
            BASE, dynamics=ReactionDiffusion(coupling="ring", emphasis="softmax", bound=1.0), blend=Blend("add")
        ),
        dataclasses.replace(
            BASE, dynamics=ReactionDiffusion(initial="positive", emphasis="winner", readout="difference")
        ),
    ]
    runs = [Run(str(i), settings, 3, 3) for i, settings in enumerate(readings)]
    (program,) = programs(runs)
    together = batch_training.train_batch(runs, 2, mixed=program.mixed)
    returns = together.curve.episode_return
    assert len({tuple(row) for row in returns.tolist()}) == 2  # the readings do differ
    for i, run in enumerate(runs):
        alone = batch_training.train_batch([run], 2)
        for one, other in zip(jax.tree.leaves(alone.curve), jax.tree.leaves(together.curve), strict=True):
            np.testing.assert_allclose(one[0], other[i], rtol=1e-4)
        for one, other in zip(jax.tree.leaves(alone.agents), jax.tree.leaves(together.agents), strict=True):
            np.testing.assert_allclose(one[0], other[i], atol=1e-4)
