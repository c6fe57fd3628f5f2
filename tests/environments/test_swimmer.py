"""The swimmer in JAX beside MuJoCo's, recorded and (where it is installed) live, and beside Lagrange's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import helpers.record_swimmer as recorder
from morphorl.environments import swimmer_physics
from morphorl.environments.swimmer import HeadingSwimmer, Swimmer, SwimmerState

SWIMMER = Swimmer()


def state_of(positions_and_velocities, time=0):
    positions, velocities = jnp.split(jnp.asarray(positions_and_velocities), 2)
    return SwimmerState(*map(swimmer_physics.from_joints, (positions, velocities)), time)


def coordinates(state):
    return jnp.concatenate([swimmer_physics.to_joints(state.pose), swimmer_physics.to_joints(state.velocity)])


@jax.jit
@jax.vmap
def our_steps(before, action):
    """What `helpers.record_swimmer.steps_from` records."""
    observation, after, reward, terminated, _ = SWIMMER.step_env(
        jax.random.key(0), state_of(before), action, SWIMMER.default_params
    )
    return {"after": coordinates(after), "observation": observation, "reward": reward, "terminated": terminated}


def assert_steps_agree(expected, atol):
    ours = our_steps(expected["before"], expected["action"])
    for name in "after", "observation", "reward":
        assert_allclose(ours[name], expected[name], rtol=0, atol=atol, err_msg=name)
    assert not ours["terminated"].any()


@pytest.fixture(scope="module")
def recorded():
    return dict(np.load(recorder.FILE))


def test_steps_from_anywhere_are_those_recorded_from_mujoco_limits_and_clipping_included(recorded):
    beyond = np.abs(recorded["before"][:, 3:5]) > swimmer_physics.JOINT_LIMIT
    beyond_after = np.abs(recorded["after"][:, 3:5]) > swimmer_physics.JOINT_LIMIT
    assert min(np.sum(beyond.any(axis=1)), np.sum(beyond_after.any(axis=1))) > 60
    assert min(np.sum(beyond.all(axis=1)), np.sum(beyond_after.all(axis=1))) > 15
    assert np.sum(np.abs(recorded["action"]) > 1) > 50
    with jax.enable_x64(True):
        assert_steps_agree(recorded, 1e-10)


def test_in_single_precision_a_step_agrees_to_single_precision(recorded):
    single = {name: value.astype(np.float32) for name, value in recorded.items() if name != "versions"}
    assert_steps_agree(single, 1e-4)


def test_a_gait_leads_to_where_it_leads_in_mujoco(recorded):
    def step(state, action):
        _, state, reward, _, _ = SWIMMER.step_env(jax.random.key(0), state, action, SWIMMER.default_params)
        return state, reward

    with jax.enable_x64(True):
        swim = jax.jit(lambda actions: jax.lax.scan(step, state_of(np.zeros(10)), actions))
        state, rewards = swim(recorder.gait(100))
        assert_allclose(coordinates(state), recorded["end"], rtol=0, atol=1e-8)
        assert_allclose(rewards.sum(), recorded["return"], atol=1e-8)


def test_fresh_steps_agree_with_mujoco_where_it_is_installed():
    mujoco = pytest.importorskip("mujoco", reason="the extra mujoco is not installed")
    env, generator = recorder.exact_swimmer(), np.random.default_rng(1)
    states = recorder.random_states(generator, 600)
    with jax.enable_x64(True):
        assert_steps_agree(recorder.steps_from(env, states, generator.uniform(-1, 1, (600, 2))), 1e-10)
    model = env.unwrapped.model
    assert_allclose(model.body_mass[1:], swimmer_physics.MASS)
    assert_allclose(model.body_inertia[1:, [0, 2]], [[swimmer_physics.INERTIA, swimmer_physics.AXIAL_INERTIA]] * 3)
    assert_allclose(model.dof_invweight0[3:], swimmer_physics.STRAIGHT_MOBILITY)
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4
    assert SWIMMER.default_params.max_steps_in_episode == env.spec.max_episode_steps


def kinetic_energy(coordinates, rates):
    """Of three rods whose middles are found by walking along the body, and of the armature."""

    def middles(coordinates):
        x, y, heading, first, second = coordinates
        place, angle, found = jnp.array([x, y]), heading, []
        place = place + 1.5 * jnp.array([jnp.cos(angle), jnp.sin(angle)])  # the nose's tip
        for joint in (0, first, second):
            angle = angle + joint
            along = jnp.array([jnp.cos(angle), jnp.sin(angle)])
            found.append(jnp.append(place - along / 2, angle))
            place = place - along
        return jnp.stack(found)

    speeds = jax.jvp(middles, (coordinates,), (rates,))[1]
    weights = jnp.array([swimmer_physics.MASS, swimmer_physics.MASS, swimmer_physics.INERTIA])
    return ((speeds**2) @ weights).sum() / 2 + swimmer_physics.ARMATURE / 2 * (rates**2).sum()


def test_without_the_fluid_accelerations_are_lagranges(monkeypatch):
    """d/dt ∂T/∂q' − ∂T/∂q = torques, with T from the rods' own speeds."""
    monkeypatch.setattr(swimmer_physics, "drag", lambda coefficients, speed: 0 * speed)

    @jax.jit
    def both(place, rates, torques):
        mass = jax.hessian(kinetic_energy, 1)(place, rates)
        turning = jax.jvp(lambda q: jax.grad(kinetic_energy, 1)(q, rates), (place,), (rates,))[1]
        expected = jnp.linalg.solve(mass, torques + jax.grad(kinetic_energy)(place, rates) - turning)
        first, second = torques[3:]
        rods = jnp.stack([-first, first - second, second])
        found = swimmer_physics.acceleration(*map(swimmer_physics.from_joints, (place, rates)), rods)
        return swimmer_physics.to_joints(found), expected

    with jax.enable_x64(True):
        place, rates = np.random.default_rng(0).normal(size=(2, 5))
        assert np.abs(place[3:]).max() < swimmer_physics.JOINT_LIMIT
        assert_allclose(*both(place, rates, np.array([0, 0, 0, 150.0, -70.0])), rtol=1e-10)


def test_an_episode_starts_nearly_straight_and_is_cut_off_at_a_thousand_steps():
    params = SWIMMER.default_params
    observations, states = jax.vmap(SWIMMER.reset_env, (0, None))(jax.random.split(jax.random.key(0), 500), params)
    starts = jax.vmap(coordinates)(states)
    assert np.abs(starts).max() <= 0.1 + 1e-6
    assert_allclose(starts.std(axis=0), 0.1 / np.sqrt(3), rtol=0.1)
    assert_array_equal(observations, starts[:, 2:])
    times = [SWIMMER.is_truncated(state_of(np.zeros(10), time), params) for time in (999, 1000)]
    assert times == [False, True]


def test_the_heading_swimmer_swims_alike_and_sees_its_heading_alone():
    heading, state = HeadingSwimmer(), state_of(np.linspace(-0.5, 0.4, 10), 3)
    key, action = jax.random.key(0), jnp.array([0.3, -2.0])

    @jax.jit
    def both(state, action):
        return [env.step_env(key, state, action, env.default_params)[:3] for env in (heading, SWIMMER)]

    (observation, after, reward), (everything, same, same_reward) = both(state, action)
    jax.tree.map(assert_array_equal, after, same)
    assert reward == same_reward
    assert after.time == 4
    assert_allclose(observation, [np.cos(everything[0]), np.sin(everything[0])], rtol=1e-6)
    for env, seen in ((heading, observation), (SWIMMER, everything)):
        assert env.observation_space(env.default_params).shape == seen.shape == (env.num_features,)
        assert env.action_space(env.default_params).shape == (env.num_actions,)
