"""One update of PPO in NumPy and double precision: an oracle for the compiled one, written to be read.

It knows what the post's agent needs and no more: two plain tanh networks, a few discrete actions, and a readout that is
blended into the logits. It shares no code with what it judges, and takes the rollout as it was collected, so that the
two differ by rounding alone.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from morphorl.dynamics.blending import Blend
from morphorl.ppo.rollout import Experience
from morphorl.ppo.settings import PPO, Settings

Numbers = Float[np.ndarray, "..."]
Network = list[Numbers]
"""W_1, b_1, W_2, b_2, …: matrices (out, in) and vectors (out,)."""


class Learner(NamedTuple):
    """What an update changes: both networks, and Adam's memory of their gradients."""

    actor: Network
    critic: Network
    steps: int
    mean: Network
    """The running mean of the gradient: the actor's arrays, then the critic's."""
    square: Network
    """The running mean of the squared gradient, in the same order."""


class Samples(NamedTuple):
    """A rollout, one column (or entry) for each sample."""

    observation: Float[np.ndarray, "features batch"]
    readout: Float[np.ndarray, "actions batch"]
    action: Int[np.ndarray, " batch"]
    log_prob: Float[np.ndarray, " batch"]
    value: Float[np.ndarray, " batch"]
    advantage: Float[np.ndarray, " batch"]


# --- Networks --------------------------------------------------------------------------------------------------------


def forward(network: Network, x: Float[np.ndarray, "features batch"]) -> list[Numbers]:
    """The input, the hidden layers y = tanh(W x + b), and the last layer W x + b."""
    layers = [x]
    for weight, bias in zip(network[:-2:2], network[1:-2:2], strict=True):
        layers.append(np.tanh(weight @ layers[-1] + bias[:, None]))
    return [*layers, network[-2] @ layers[-1] + network[-1][:, None]]


def backward(network: Network, layers: list[Numbers], gradient: Float[np.ndarray, "out batch"]) -> Network:
    """The gradient of every weight and bias, from that of the last layer."""
    found: Network = []
    for weight, x in zip(network[-2::-2], layers[-2::-1], strict=True):
        found = [gradient @ x.T, gradient.sum(axis=1), *found]
        gradient = (weight.T @ gradient) * (1 - x**2)
    return found


# --- Samples ---------------------------------------------------------------------------------------------------------


def prepare(
    settings: Settings, learner: Learner, rollout: Experience, last: Float[np.ndarray, "features envs"]
) -> Samples:
    """The samples of a rollout; `last` is the observation after it."""
    observation, final = _double(rollout.observation), _double(rollout.final_observation)
    value = values(learner.critic, observation)
    following = np.concatenate([value[1:], values(learner.critic, last[None])])
    following = np.where(np.asarray(rollout.truncated), values(learner.critic, final), following)
    readout, action = columns(_double(rollout.readout)), np.asarray(rollout.action).reshape(-1)
    log_prob = log_softmax(blended(settings.blend, columns(_double(rollout.logits)), readout))
    advantage = advantages(settings.ppo, rollout, value, following)
    picked = log_prob[action, np.arange(action.size)]
    return Samples(columns(observation), readout, action, picked, value.reshape(-1), advantage.reshape(-1))


def advantages(
    ppo: PPO, rollout: Experience, value: Float[np.ndarray, "time envs"], following: Float[np.ndarray, "time envs"]
) -> Float[np.ndarray, "time envs"]:
    """A_t = δ_t + γλ·A_{t+1}, one step after the other from the last; `following` is V(s_{t+1})."""
    reward, terminated = _double(rollout.reward), np.asarray(rollout.terminated)
    ended = terminated | np.asarray(rollout.truncated)
    found, after = np.zeros_like(value), np.zeros_like(value[0])
    for t in reversed(range(len(value))):
        error = reward[t] + ppo.discount * np.where(terminated[t], 0.0, following[t]) - value[t]
        after = error + ppo.discount * ppo.gae_lambda * np.where(ended[t], 0.0, after)
        found[t] = after
    return found


def values(critic: Network, observation: Float[np.ndarray, "time features envs"]) -> Float[np.ndarray, "time envs"]:
    """V of every observation."""
    return forward(critic, columns(observation))[-1].reshape(observation.shape[0], observation.shape[2])


def columns(array: Float[np.ndarray, "time rows envs"]) -> Float[np.ndarray, "rows batch"]:
    """One column for each time and environment."""
    return array.transpose(1, 0, 2).reshape(array.shape[1], -1)


def blended(blend: Blend, logits: Numbers, readout: Numbers) -> Numbers:
    """The logits that act."""
    return _share(blend) * logits + (0.0 if blend.kind == "none" else blend.weight) * readout


def log_softmax(logits: Float[np.ndarray, "actions batch"]) -> Float[np.ndarray, "actions batch"]:
    """The logarithm of each column's softmax."""
    shifted = logits - logits.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))


# --- Learning --------------------------------------------------------------------------------------------------------


def learn(
    settings: Settings,
    learner: Learner,
    samples: Samples,
    minibatches: Iterable[Int[np.ndarray, " chosen"]],
    rate: float,
) -> Learner:
    """One step of Adam for each minibatch, given as the places of its samples."""
    for chosen in minibatches:
        minibatch = Samples(*(array[..., chosen] for array in samples))
        learner = adam(settings.ppo, learner, loss_gradient(settings, learner, minibatch), rate)
    return learner


def loss_gradient(settings: Settings, learner: Learner, samples: Samples) -> Network:
    """The gradient of the loss of `losses.ppo_loss`: the actor's arrays, then the critic's."""
    actor, critic = forward(learner.actor, samples.observation), forward(learner.critic, samples.observation)
    return [
        *backward(learner.actor, actor, _policy_gradient(settings, samples, actor[-1])),
        *backward(learner.critic, critic, _value_gradient(settings.ppo, samples, critic[-1])),
    ]


def _policy_gradient(settings: Settings, samples: Samples, logits: Numbers) -> Numbers:
    """Of −E[min(r·A, clip(r)·A)] − c_e·E[H] + c_d·E[CE] with respect to the network's logits z.

    With q the blended policy and p the network's: ∂r/∂z = r·(1[a] − q), ∂H/∂z = −q·(log q + H), both times the share of
    z in the blend, and ∂CE/∂z = p − q.
    """
    ppo, blend = settings.ppo, settings.blend
    forgetful = blend.update == "network"
    log = log_softmax(logits if forgetful else blended(blend, logits, samples.readout))
    policy, taken = np.exp(log), np.arange(len(logits))[:, None] == samples.action
    ratio = np.exp(log[taken.argmax(axis=0), np.arange(taken.shape[1])] - samples.log_prob)
    advantage = (samples.advantage - samples.advantage.mean()) / (samples.advantage.std() + 1e-8)
    unclipped = ratio * advantage <= np.clip(ratio, 1 - ppo.clip, 1 + ppo.clip) * advantage
    entropy = -(policy * log).sum(axis=0)
    gradient = -(unclipped * advantage * ratio) * (taken - policy)
    gradient += ppo.entropy_coefficient * policy * (log + entropy)
    gradient *= 1.0 if forgetful else _share(blend)
    if blend.kind != "none":
        gradient += blend.distil * (np.exp(log_softmax(logits)) - policy)
    return gradient / taken.shape[1]


def _value_gradient(ppo: PPO, samples: Samples, value: Numbers) -> Numbers:
    """Of c_v·½·E[max((V−R)², (V_clip−R)²)] with respect to V."""
    target, moved = samples.advantage + samples.value, value - samples.value
    clipped = samples.value + np.clip(moved, -ppo.value_clip, ppo.value_clip)
    free = (value - target) ** 2 >= (clipped - target) ** 2
    gradient = np.where(free, value - target, (clipped - target) * (np.abs(moved) < ppo.value_clip))
    return ppo.value_coefficient * gradient / value.shape[1]


def adam(ppo: PPO, learner: Learner, gradient: Network, rate: float) -> Learner:
    """Scale the gradient down to its largest norm, then one step of Adam (β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁵)."""
    norm = np.sqrt(sum((array**2).sum() for array in gradient))
    gradient = [array * min(1.0, ppo.max_gradient_norm / norm) for array in gradient]
    steps = learner.steps + 1
    mean = [0.9 * m + 0.1 * g for m, g in zip(learner.mean, gradient, strict=True)]
    square = [0.999 * s + 0.001 * g**2 for s, g in zip(learner.square, gradient, strict=True)]
    moved = [
        w - rate * (m / (1 - 0.9**steps)) / (np.sqrt(s / (1 - 0.999**steps)) + 1e-5)
        for w, m, s in zip([*learner.actor, *learner.critic], mean, square, strict=True)
    ]
    return Learner(moved[: len(learner.actor)], moved[len(learner.actor) :], steps, mean, square)


def _share(blend: Blend) -> float:
    """The share of the network's logits in the blend."""
    return 1 - blend.weight if blend.kind == "average" else 1.0


def _double(array: object) -> Numbers:
    return np.asarray(array, np.float64)
