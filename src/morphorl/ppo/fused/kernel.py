"""PPO's learning phase of one agent: all minibatch steps on one rollout, with every gradient written out.

It computes what `learning.descend` does, for two networks with two hidden layers each. Such a network is

    h₁ = f(W₁x + b₁),   h₂ = f(W₂h₁ + b₂),   y = W₃h₂ + b₃.

With d = ∂L/∂y of each sample, and ⊙ the product of elements, its gradient is, summed over the samples,

    e₂ = W₃ᵀd ⊙ f′(h₂),   e₁ = W₂ᵀe₂ ⊙ f′(h₁),
    ∂L/∂W₃ = Σ d·h₂ᵀ,   ∂L/∂W₂ = Σ e₂·h₁ᵀ,   ∂L/∂W₁ = Σ e₁·xᵀ,   ∂L/∂b₃ = Σ d,   ∂L/∂b₂ = Σ e₂,   ∂L/∂b₁ = Σ e₁.

What the actor's d is follows from the loss (`losses.ppo_loss`). Let z be its output, α its share of the blend, r the
probability ratio, A the normalised advantage, and g = −A·r where the surrogate is not clipped, else 0. With N samples,
K actions, the log-probabilities l and probabilities p of the blend, and its entropy H,

    d_k = α·(g·(1[k = action] − p_k) + c_e·p_k·(l_k + H))/N + c_d·(softmax(z)_k − p_k)/N.

For continuous actions, with their mean m and s_k = (action_k − m_k)/σ_k,

    d_k = α·g·s_k/σ_k/N + c_d·(z_k − m_k)/σ_k²/N,   ∂L/∂log σ_k = Σ g·(s_k² − 1)/N − c_e.

All products of matrices are one function, `multiply`, of a block of samples that stays in the processor's caches.
"""

# Numba hands an intrinsic's first argument over by itself, which no type checker knows.
# pyright: reportCallIssue=false

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from llvmlite import binding

from morphorl.ppo.fused.vectors import (
    LANES,
    Matrix,
    at_least,
    clipped,
    exp,
    f32,
    fma,
    full,
    jit,
    load,
    log,
    pick,
    root,
    store,
    tanh,
    tile,
    total,
)

if TYPE_CHECKING:
    from morphorl.ppo.losses import Scalar

BLOCK = 64
"""Samples that are worked on at a time; the last block is filled up with samples of weight 0."""
ROWS, WIDE = 4, 4 if binding.get_host_cpu_features().get("avx512f") else 1
"""Rows and vectors of the widest tile: its sums must fit into the registers, 32 of AVX-512 or 16 of half the size."""
DECAY, NEW, SQUARE_DECAY, NEW_SQUARE, EPSILON = f32(0.9), f32(0.1), f32(0.999), f32(0.001), f32(1e-5)
"""Adam's, as `learning.optimiser` has them."""
HALF_LOG_TAU = f32(0.5 * np.log(2 * np.pi))


class Hyper(NamedTuple):
    """The numbers that the loss and the optimiser need."""

    learning_rate: "Scalar"
    clip: "Scalar"
    value_clip: "Scalar"
    value_coefficient: "Scalar"
    entropy_coefficient: "Scalar"
    max_gradient_norm: "Scalar"
    network: "Scalar"
    """The share of the network's output in the blend."""
    readout: "Scalar"
    """The share of the system's readout."""
    distil: "Scalar"


class Shape(NamedTuple):
    """The sizes of a rollout and of the networks that learn from it."""

    features: int
    first: int
    second: int
    actions: int
    relu: int
    """1 for ReLU, 0 for tanh."""
    continuous: int
    """1 for continuous actions, 0 for discrete ones."""
    samples: int
    minibatch: int
    epochs: int


class Network(NamedTuple):
    """Where the parts of a network lie in an array of floats.

    W₁ᵀ (features, first) comes first. Features and outputs are rounded up to whole tiles, b₃ to whole vectors, and what
    lies between holds zeros.
    """

    features: int
    first: int
    second: int
    outputs: int
    w1: int
    w2: int
    w3: int
    b1: int
    b2: int
    b3: int
    end: int


class Block(NamedTuple):
    """A block of samples on its way through a network; samples are rows in the first five, columns in the others."""

    x: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    e1: np.ndarray
    e2: np.ndarray
    y: np.ndarray
    d: np.ndarray
    readout: np.ndarray
    action: np.ndarray
    log_prob: np.ndarray
    value: np.ndarray
    advantage: np.ndarray
    normalised: np.ndarray
    weight: np.ndarray
    """Of each sample in the mean over the minibatch."""


def product(turned):
    """A function: to = start + left·right, `height` × `width` sums of `count` products; leftᵀ if `turned`."""
    wide, narrow = tile(ROWS, WIDE, turned), tile(ROWS, 1, turned)

    @jit
    def multiply(to, start, left, right, count, height, width):
        """The widest tiles first, narrow ones for the columns that are left."""
        for row in range(0, height, ROWS):
            column = 0
            while WIDE > 1 and column + LANES * WIDE <= width:
                wide(to, start, left, right, row, column, count)
                column += LANES * WIDE
            while column < width:
                narrow(to, start, left, right, row, column, count)
                column += LANES

    return multiply


multiply, multiply_turned = product(turned=False), product(turned=True)


# --- Networks --------------------------------------------------------------------------------------------------------


@jit
def up(n, step):
    """n, rounded up to a multiple."""
    return (n + step - 1) // step * step


@jit
def network_at(start, features, first, second, outputs):
    """The places of a network that begins at `start`."""
    w2 = start + up(features, ROWS) * first
    w3 = w2 + second * first
    b1 = w3 + up(outputs, ROWS) * second
    b2 = b1 + first
    b3 = b2 + second
    return Network(features, first, second, outputs, start, w2, w3, b1, b2, b3, b3 + up(outputs, LANES))


@jit
def places(net, where, at):
    """Note where each number of a network is to go that comes in JAX's order: W₁, W₂, W₃, b₁, b₂, b₃, without gaps.

    Args:
        where: the places, by the number's own place in JAX's order; the network's are filled in from `at` on.

    Returns:
        Where the next network begins in JAX's order.
    """
    features, first, second, outputs = net.features, net.first, net.second, net.outputs
    for j in range(first):
        for k in range(features):
            where[at + j * features + k] = net.w1 + k * first + j
    at += first * features
    sizes = (second * first, outputs * second, first, second, outputs)
    for i in range(5):
        for j in range(sizes[i]):
            where[at + j] = net[5 + i] + j
        at += sizes[i]
    return at


@jit
def transpose(net, params, w2t):
    """W₂ᵀ, (first, second)."""
    for k in range(0, net.first, 8):
        for o in range(net.second):
            for j in range(k, k + 8):
                w2t[j * net.second + o] = params[net.w2 + o * net.first + j]


@jit
def activate(h, relu):
    """f(h) in place of h."""
    for i in range(0, len(h), LANES):
        x = load(h, i)
        store(h, i, at_least(x, full(f32(0))) if relu else tanh(x))


@jit
def forward(net, params, w2t, relu, block):
    """Fill a block's h₁, h₂ and y."""
    features, first, second = net.features, net.first, net.second
    x, h1, h2 = Matrix(block.x, 0, up(features, ROWS)), Matrix(block.h1, 0, first), Matrix(block.h2, 0, second)
    multiply(h1, Matrix(params, net.b1, 0), x, Matrix(params, net.w1, first), features, BLOCK, first)
    activate(block.h1, relu)
    multiply(h2, Matrix(params, net.b2, 0), h1, Matrix(w2t, 0, second), first, BLOCK, second)
    activate(block.h2, relu)
    for s in range(BLOCK):
        for o in range(net.outputs):
            sums = full(f32(0))
            for i in range(0, second, LANES):
                sums = fma(load(block.h2, s * second + i), load(params, net.w3 + o * second + i), sums)
            block.y[o * BLOCK + s] = total(sums) + params[net.b3 + o]


@jit
def times_slope(e, h, width, relu, gradient, bias):
    """e ⊙ f′(h) in place of e, and its sum over the samples added to a bias' gradient."""
    zero, one = full(f32(0)), full(f32(1))
    for i in range(0, width, LANES):
        sums = load(gradient, bias + i)
        for at in range(i, BLOCK * width, width):
            y = load(h, at)
            slope = pick(y, zero, zero, one) if relu else one - y * y
            now = load(e, at) * slope
            store(e, at, now)
            sums = sums + now
        store(gradient, bias + i, sums)


@jit
def backward(net, params, zeros, relu, block, gradient):
    """Add the gradient of a block, whose d is ∂L/∂y."""
    features, first, second, outputs = up(net.features, ROWS), net.first, net.second, net.outputs
    for o in range(outputs):
        sums = full(f32(0))
        for s in range(0, BLOCK, LANES):
            sums = sums + load(block.d, o * BLOCK + s)
        gradient[net.b3 + o] += total(sums)
    for i in range(outputs * BLOCK, up(outputs, ROWS) * BLOCK):
        block.d[i] = f32(0)
    h1, h2 = Matrix(block.h1, 0, first), Matrix(block.h2, 0, second)
    e1, e2, none = Matrix(block.e1, 0, first), Matrix(block.e2, 0, second), Matrix(zeros, 0, 0)
    to = Matrix(gradient, net.w3, second)
    multiply(to, to, Matrix(block.d, 0, BLOCK), h2, BLOCK, up(outputs, ROWS), second)
    multiply_turned(e2, none, Matrix(block.d, 0, BLOCK), Matrix(params, net.w3, second), outputs, BLOCK, second)
    times_slope(block.e2, block.h2, second, relu, gradient, net.b2)
    to = Matrix(gradient, net.w2, first)
    multiply_turned(to, to, e2, h1, BLOCK, second, first)
    multiply(e1, none, e2, Matrix(params, net.w2, first), second, BLOCK, first)
    times_slope(block.e1, block.h1, first, relu, gradient, net.b1)
    to = Matrix(gradient, net.w1, first)
    multiply_turned(to, to, Matrix(block.x, 0, features), e1, BLOCK, features, first)


# --- The loss --------------------------------------------------------------------------------------------------------


@jit
def counted(weight, x):
    """The sum of x over the samples that count."""
    zero = full(f32(0))
    return total(pick(weight, zero, zero, x * weight))


@jit
def surrogate(log_prob, old, advantage, clip):
    """min(r·A, clip(r)·A), and −g, its derivative by the log-probability."""
    ratio = exp(log_prob - old)
    plain = ratio * advantage
    bounded = clipped(ratio, full(f32(1) - clip), full(f32(1) + clip)) * advantage
    kept = pick(plain, bounded, full(f32(1)), full(f32(0)))  # times an infinite ratio this is NaN, as it should be
    return pick(plain, bounded, plain, bounded), kept * advantage * ratio


@jit
def one_where(a, k, x, y):
    """x where a = k, else y."""
    return pick(a, full(f32(k)), pick(full(f32(k)), a, x, y), y)


@jit
def log_softmax(z, into, actions, s):
    """Log-probabilities of 16 samples, from what `z` holds of them."""
    most, sums = load(z, s), full(f32(0))
    for at in range(s + BLOCK, s + actions * BLOCK, BLOCK):
        most = at_least(load(z, at), most)
    for at in range(s, s + actions * BLOCK, BLOCK):
        sums = sums + exp(load(z, at) - most)
    rest = log(sums)
    for at in range(s, s + actions * BLOCK, BLOCK):
        store(into, at, load(z, at) - most - rest)


@jit
def discrete_loss(block, actions, hyper):
    """A block's part of the loss of discrete actions; fills d. What was the readout becomes the log-probabilities."""
    blended, d, c_e = block.readout, block.d, full(hyper.entropy_coefficient)
    one, zero, loss = full(f32(1)), full(f32(0)), f32(0)
    for s in range(0, BLOCK, LANES):
        action, weight = load(block.action, s), load(block.weight, s)
        log_softmax(blended, blended, actions, s)
        log_prob, entropy = zero, zero
        for k in range(actions):
            log_p = load(blended, k * BLOCK + s)
            log_prob = one_where(action, k, log_p, log_prob)
            entropy = entropy - exp(log_p) * log_p
        value, slope = surrogate(log_prob, load(block.log_prob, s), load(block.normalised, s), hyper.clip)
        loss -= counted(weight, value + c_e * entropy)
        for k in range(actions):
            log_p = load(blended, k * BLOCK + s)
            p = exp(log_p)
            by_logit = c_e * p * (log_p + entropy) - slope * (one_where(action, k, one, zero) - p)
            store(d, k * BLOCK + s, by_logit * full(hyper.network) * weight)
        if hyper.distil != f32(0):
            log_softmax(block.y, block.y, actions, s)
            for at in range(s, s + actions * BLOCK, BLOCK):
                own, p = load(block.y, at), exp(load(blended, at))
                loss -= hyper.distil * counted(weight, p * own)
                store(d, at, load(d, at) + full(hyper.distil) * weight * (exp(own) - p))
    return loss


@jit
def continuous_loss(block, actions, hyper, log_deviation, gradient):
    """As `discrete_loss`, of continuous actions; also adds the gradient of log σ."""
    loss, half, minus = f32(0), full(f32(0.5)), full(f32(-1))
    c_e = full(hyper.entropy_coefficient)
    for s in range(0, BLOCK, LANES):
        weight, log_prob, entropy = load(block.weight, s), full(f32(0)), f32(0)
        for k in range(actions):
            at = k * BLOCK + s
            scaled = (load(block.action, at) - load(block.readout, at)) * exp(full(-log_deviation[k]))
            log_prob = log_prob - fma(half * scaled, scaled, full(log_deviation[k] + HALF_LOG_TAU))
            entropy += log_deviation[k] + HALF_LOG_TAU + f32(0.5)
        value, slope = surrogate(log_prob, load(block.log_prob, s), load(block.normalised, s), hyper.clip)
        loss -= counted(weight, value + c_e * full(entropy))
        for k in range(actions):
            at = k * BLOCK + s
            shrink = exp(full(-log_deviation[k]))
            scaled = (load(block.action, at) - load(block.readout, at)) * shrink
            store(block.d, at, minus * slope * scaled * shrink * full(hyper.network) * weight)
            gradient[k] -= counted(weight, slope * fma(scaled, scaled, minus) + c_e)
            if hyper.distil != f32(0):
                apart = (load(block.y, at) - load(block.readout, at)) * shrink
                loss += hyper.distil * counted(weight, half * apart * apart)
                store(block.d, at, fma(full(hyper.distil) * apart, shrink * weight, load(block.d, at)))
    return loss


@jit
def value_loss(block, hyper):
    """A block's part of the value loss; fills d."""
    loss, zero, bound = f32(0), full(f32(0)), full(hyper.value_clip)
    for s in range(0, BLOCK, LANES):
        weight, before, value = load(block.weight, s), load(block.value, s), load(block.y, s)
        target, step = load(block.advantage, s) + before, value - before
        error = value - target
        bounded = before + clipped(step, zero - bound, bound) - target
        plain, other = error * error, bounded * bounded
        loss += f32(0.5) * hyper.value_coefficient * counted(weight, pick(other, plain, plain, other))
        full_step = error * full(hyper.value_coefficient) * weight
        free = pick(at_least(step, zero - step), bound, full_step, zero)  # the bounded value moves too
        store(block.d, s, pick(other, plain, full_step, free))
    return loss


# --- The optimiser ---------------------------------------------------------------------------------------------------


@jit
def norm(gradient):
    """The root of the sum of squares."""
    sums = full(f32(0))
    for i in range(0, len(gradient), LANES):
        sums = fma(load(gradient, i), load(gradient, i), sums)
    return np.sqrt(total(sums))


@jit
def adam(params, mean, square, gradient, scale, rate, count):
    """Step number `count` of Adam, against `scale` times the gradient."""
    unbiased, unbiased_square = f32(1) / (f32(1) - DECAY**count), f32(1) / (f32(1) - SQUARE_DECAY**count)
    for i in range(0, len(params), LANES):
        g = load(gradient, i) * full(scale)
        m = fma(full(DECAY), load(mean, i), full(NEW) * g)
        v = fma(full(SQUARE_DECAY), load(square, i), full(NEW_SQUARE) * g * g)
        store(mean, i, m)
        store(square, i, v)
        direction = m * full(unbiased) / (root(v * full(unbiased_square)) + full(EPSILON))
        store(params, i, load(params, i) - full(rate) * direction)


# --- The learning phase ----------------------------------------------------------------------------------------------


@jit
def aligned_zeros(n):
    """n zeros, from the beginning of one of the cache's lines."""
    room = np.zeros(n + LANES, np.float32)
    start = -(room.ctypes.data // 4) % LANES
    return room[start : start + n]


@jit
def new_block(shape):
    """Room for a block of samples."""
    a4, actions = up(shape.actions, ROWS), shape.actions if shape.continuous else 1
    return Block(
        aligned_zeros(BLOCK * up(shape.features, ROWS)),
        aligned_zeros(BLOCK * shape.first),
        aligned_zeros(BLOCK * shape.second),
        aligned_zeros(BLOCK * shape.first),
        aligned_zeros(BLOCK * shape.second),
        aligned_zeros(BLOCK * a4),
        aligned_zeros(BLOCK * a4),
        aligned_zeros(BLOCK * a4),
        aligned_zeros(BLOCK * actions),
        aligned_zeros(BLOCK),
        aligned_zeros(BLOCK),
        aligned_zeros(BLOCK),
        aligned_zeros(BLOCK),
        aligned_zeros(BLOCK),
    )


@jit
def shuffled(words, epochs, samples):
    """A random order of the samples for each epoch, from a random word for each place (Fisher and Yates)."""
    order = np.empty(epochs * samples, np.int32)
    for start in range(0, epochs * samples, samples):
        for i in range(samples):
            order[start + i] = i
        for i in range(samples - 1, 0, -1):
            j = (np.int64(words[start + i]) * (i + 1)) >> 32
            order[start + i], order[start + j] = order[start + j], order[start + i]
    return order


@jit
def normalisation(table, chosen):
    """Of a minibatch: the weight of a sample in its mean, and mean and reciprocal deviation of its advantages."""
    weights, mean, variance = f32(0), f32(0), f32(0)
    for i in chosen:
        weights += table[i, -1]
        mean += table[i, -1] * table[i, -2]
    weight = f32(1) / max(weights, f32(1))
    mean *= weight
    for i in chosen:
        variance += table[i, -1] * (table[i, -2] - mean) ** 2
    return weight, mean, f32(1) / (np.sqrt(variance * weight) + f32(1e-8))


@jit
def gather(table, chosen, start, shape, weight, mean, scale, block):
    """Fill a block with the samples of a minibatch from `start` on, as far as there are some."""
    f4, numbers = up(shape.features, ROWS), shape.actions if shape.continuous else 1
    for s in range(BLOCK):
        inside = start + s < len(chosen)
        row = table[chosen[start + s if inside else 0]]
        for k in range(shape.features):
            block.x[s * f4 + k] = row[k]
        at = shape.features
        for k in range(shape.actions):
            block.readout[k * BLOCK + s] = row[at + k]
        at += shape.actions
        for k in range(numbers):
            block.action[k * BLOCK + s] = row[at + k]
        at += numbers
        block.log_prob[s], block.value[s], block.advantage[s] = row[at], row[at + 1], row[at + 2]
        block.normalised[s] = (row[at + 2] - mean) * scale
        block.weight[s] = weight * row[at + 3] if inside else f32(0)


@jit
def blend(block, actions, hyper):
    """The blend of network and readout, in place of the readout."""
    for i in range(0, actions * BLOCK, LANES):
        blended = fma(full(hyper.readout), load(block.readout, i), full(hyper.network) * load(block.y, i))
        store(block.readout, i, blended)


@jit
def learn(flat_params, flat_mean, flat_square, count, table, words, hyper, shape, to_params, to_mean, to_square):
    """All minibatch steps on one rollout.

    Args:
        flat_params, flat_mean, flat_square: weights, and what Adam keeps of their gradient, in JAX's order.
        count: steps that Adam has done.
        hyper, shape: numbers (`Hyper`) and sizes (`Shape`).
        table: (samples, columns), a sample a row: observation, readout, action, log-probability, value, advantage, and
            weight.
        words: (epochs · samples), 32 random bits each.
        to_params, to_mean, to_square: where the results are written.

    Returns:
        Whether the loss and the gradient's norm of every step were finite.
    """
    relu, minibatch = shape.relu == 1, shape.minibatch
    actor = network_at(0, shape.features, shape.first, shape.second, shape.actions)
    critic = network_at(actor.end, shape.features, shape.first, shape.second, 1)
    deviation, size = critic.end, critic.end + up(shape.actions, LANES)
    params, mean, square, gradient = aligned_zeros(size), aligned_zeros(size), aligned_zeros(size), aligned_zeros(size)
    where = np.empty(len(flat_params), np.int32)
    rest = places(critic, where, places(actor, where, 0))
    for i in range(rest, len(where)):
        where[i] = deviation + i - rest
    for i in range(len(where)):
        to = where[i]
        params[to], mean[to], square[to] = flat_params[i], flat_mean[i], flat_square[i]
    half = shape.first * shape.second
    block, zeros, w2t = new_block(shape), aligned_zeros(max(shape.first, shape.second)), aligned_zeros(2 * half)
    order, finite = shuffled(words, shape.epochs, shape.samples), True
    for step in range(shape.epochs * shape.samples // minibatch):
        chosen = order[step * minibatch : (step + 1) * minibatch]
        weight, average, scale = normalisation(table, chosen)
        for i in range(size):
            gradient[i] = f32(0)
        transpose(actor, params, w2t[:half])
        transpose(critic, params, w2t[half:])
        loss = f32(0)
        for start in range(0, minibatch, BLOCK):
            gather(table, chosen, start, shape, weight, average, scale, block)
            for net, transposed in ((critic, w2t[half:]), (actor, w2t[:half])):
                forward(net, params, transposed, relu, block)
                if net.w1 == critic.w1:
                    loss += value_loss(block, hyper)
                elif shape.continuous:
                    blend(block, shape.actions, hyper)
                    loss += continuous_loss(block, shape.actions, hyper, params[deviation:], gradient[deviation:])
                else:
                    blend(block, shape.actions, hyper)
                    loss += discrete_loss(block, shape.actions, hyper)
                backward(net, params, zeros, relu, block, gradient)
        length = norm(gradient)
        finite = finite and np.isfinite(loss) and np.isfinite(length)
        shrink = f32(1) if length < hyper.max_gradient_norm else hyper.max_gradient_norm / length
        count += 1
        adam(params, mean, square, gradient, shrink, hyper.learning_rate, f32(count))
    for i in range(len(where)):
        at = where[i]
        to_params[i], to_mean[i], to_square[i] = params[at], mean[at], square[at]
    return finite
