"""Foraging: an animal on a ring of places looks for food, which moves once it is eaten."""

import jax
import jax.numpy as jnp

from morphorl import environment_from

PLACES = 12


def reset(key):
    """An animal and its food, each somewhere on the ring: (state, observation)."""
    places = jax.random.randint(key, (2,), 0, PLACES)
    return places, smell(places)


def step(key, places, action):
    """Move left (0), stay (1) or move right (2); +1 for being where the food is, which then is elsewhere."""
    animal, food = places
    animal = (animal + action - 1) % PLACES
    found = animal == food
    food = jnp.where(found, jax.random.randint(key, (), 0, PLACES), food)
    places = jnp.array([animal, food])
    return places, smell(places), found, False  # state, observation, reward, terminated


def smell(places):
    """How strong the food smells here, and on either side."""
    animal, food = places
    sides = animal + jnp.array([-1, 0, 1])
    return jnp.cos(2 * jnp.pi * (sides - food) / PLACES)


Foraging = environment_from(reset, step, actions=3, time_limit=50, threshold=15.0)
