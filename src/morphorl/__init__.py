"""morphorl: does structured internal dynamics help a reinforcement-learning agent? An instrument to find out."""

import gymnasium

__version__ = "0.1.0"

for _name, _entry in {
    "StatelessCartPole-v1": "GymnasiumStatelessCartPole",
    "CartPoleNoVel-v1": "GymnasiumCartPoleNoVel",
}.items():
    gymnasium.register(
        f"morphorl/{_name}", f"morphorl.environments.cartpole:{_entry}", max_episode_steps=500, reward_threshold=475.0
    )
