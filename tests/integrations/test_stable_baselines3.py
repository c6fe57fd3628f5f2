"""The blended policy of Stable-Baselines3 beside the JAX agent. Needs the extra `sb3`."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra sb3 is not installed")

from stable_baselines3 import PPO  # noqa: E402
from stable_baselines3.common.env_checker import check_env  # noqa: E402
from stable_baselines3.common.env_util import make_vec_env  # noqa: E402
from stable_baselines3.common.vec_env import SubprocVecEnv  # noqa: E402

from morphorl.config.errors import SettingError  # noqa: E402
from morphorl.dynamics.blending import Blend  # noqa: E402
from morphorl.dynamics.guidance.blind import Blind  # noqa: E402
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion  # noqa: E402
from morphorl.environments.gymnasium_wrappers import CellObservation  # noqa: E402
from morphorl.integrations.stable_baselines3 import BlendedPolicy, with_readout  # noqa: E402
from morphorl.ppo.agent import init_agent, policy_step  # noqa: E402
from morphorl.ppo.settings import Settings  # noqa: E402

GUIDANCE = Blind(strength=0.1)


def copy(layers, mlp):
    """Give PyTorch's layers the weights of a JAX network."""
    with torch.no_grad():
        for layer, weight, bias in zip(layers, mlp.weights, mlp.biases, strict=True):
            layer.weight.copy_(torch.from_numpy(np.array(weight)))
            layer.bias.copy_(torch.from_numpy(np.array(bias)))


@pytest.mark.parametrize("kind", ["average", "add", "none"])
def test_logits_are_those_of_the_jax_agent_all_along_an_episode(kind):
    settings = Settings(guidance=GUIDANCE, blend=Blend(kind=kind, weight=0.4))
    agent = init_agent(settings, 4, 2, jax.random.key(0), jax.random.fold_in(jax.random.key(7), 0))
    env = with_readout(gymnasium.make("CartPole-v1"), guidance=GUIDANCE, seed=7)
    policy = BlendedPolicy(env.observation_space, env.action_space, lambda _: 1e-3, blend=settings.blend)
    head = policy.action_net.linear
    copy([policy.mlp_extractor.policy_net[0], policy.mlp_extractor.policy_net[2], head], agent.actor)
    copy([policy.mlp_extractor.value_net[0], policy.mlp_extractor.value_net[2], policy.value_net], agent.critic)

    cells = jax.tree.map(lambda u: u[..., None], agent.pattern)
    observation, _ = env.reset(seed=0)
    largest = 0.0
    for action in [0, 1, 1, 0, 1, 0, 0, 1] * 2:
        cells, output = policy_step(settings, agent, cells, jnp.asarray(observation[:4, None]))
        batch = torch.from_numpy(observation[None])
        expected = jax.nn.log_softmax(output.blended[:, 0])
        ours = policy.get_distribution(batch).distribution.logits[0].detach().numpy()
        np.testing.assert_allclose(ours, expected, atol=1e-5)
        np.testing.assert_allclose(
            policy.predict_values(batch)[0].item(), agent.critic(jnp.asarray(observation[:4, None]))[0, 0], atol=1e-5
        )
        largest = max(largest, float(jnp.abs(output.readout).max()))
        observation, _, terminated, _, _ = env.step(action)
        if terminated:
            break
    assert kind == "none" or largest > 0.05  # the cell had something to say


@pytest.mark.parametrize("name", ["morphorl/StatelessCartPole-v1", "Pendulum-v1"])
@pytest.mark.filterwarnings("ignore:.*normalize.*")
def test_stable_baselines_own_check_passes(name):
    check_env(CellObservation(gymnasium.make(name)))
    check_env(with_readout(gymnasium.make(name)))


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_the_policy_trains_saves_and_loads(name, tmp_path):
    env = make_vec_env(name, n_envs=2, wrapper_class=with_readout)
    options = {"blend": Blend(kind="add", weight=0.5)}
    model = PPO(BlendedPolicy, env, n_steps=32, batch_size=32, n_epochs=2, device="cpu", policy_kwargs=options)
    before = model.policy.action_net.linear.weight.clone()
    model.learn(128)
    assert not torch.equal(before, model.policy.action_net.linear.weight)
    model.save(tmp_path / "model")
    loaded = PPO.load(tmp_path / "model", device="cpu")
    observation = env.reset()
    np.testing.assert_array_equal(
        model.predict(observation, deterministic=True)[0], loaded.predict(observation, deterministic=True)[0]
    )
    assert loaded.policy.blend.weight == 0.5


def test_processes_of_their_own_show_what_this_one_does():
    options = {"env_id": "CartPole-v1", "n_envs": 2, "seed": 0, "wrapper_class": with_readout}
    here = make_vec_env(**options)
    there = make_vec_env(**options, vec_env_cls=SubprocVecEnv, vec_env_kwargs={"start_method": "spawn"})
    try:
        np.testing.assert_allclose(there.reset(), here.reset(), atol=1e-6)
        for action in (0, 1, 1):
            np.testing.assert_allclose(there.step([action] * 2)[0], here.step([action] * 2)[0], atol=1e-5)
    finally:
        there.close()


def test_for_continuous_actions_the_readout_moves_the_mean():
    env = with_readout(gymnasium.make("Pendulum-v1"), ReactionDiffusion(drive=1.0))
    policy = BlendedPolicy(env.observation_space, env.action_space, lambda _: 1e-3, blend=Blend(kind="add", weight=2.0))
    observation = torch.zeros(1, 4)
    moved = torch.tensor([[0.0, 0.0, 0.0, 0.7]])
    means = [policy.get_distribution(o).distribution.mean.item() for o in (observation, moved)]
    assert means[1] - means[0] == pytest.approx(1.4, abs=1e-5)


def test_an_environment_without_a_readout_is_refused():
    env = gymnasium.make("morphorl/StatelessCartPole-v1")
    with pytest.raises(SettingError, match="wrap the environment in `with_readout`"):
        BlendedPolicy(env.observation_space, env.action_space, lambda _: 1e-3)
