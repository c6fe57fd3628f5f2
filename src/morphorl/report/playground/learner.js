// Networks that are trained, in plain JavaScript and double precision: what fast_learner.js does faster, and is held to.
import { product, transposed } from "./product.js";

/** The layers of a network with orthogonal weights (√2 in hidden layers, `head` in the last) and zero biases (ppo/networks.py). */
export function firstLayers(random, sizes, head) {
  return sizes.slice(1).map((outputs, i) => {
    const [inputs, scale] = [sizes[i], i < sizes.length - 2 ? Math.SQRT2 : head];
    return { weight: orthogonal(random, outputs, inputs, scale), bias: new Float64Array(outputs), inputs, outputs };
  });
}

/** A random matrix whose rows, or columns if these are fewer, are orthogonal and of length `scale` (Gram and Schmidt). */
function orthogonal(random, rows, columns, scale) {
  const [count, size] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors = Array.from({ length: count }, () => Float64Array.from({ length: size }, random.normal));
  const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  vectors.forEach((u, j) => {
    for (const v of vectors.slice(0, j)) {
      const share = dot(u, v);
      u.forEach((_, i) => { u[i] -= share * v[i]; });
    }
    const length = Math.sqrt(dot(u, u));
    u.forEach((_, i) => { u[i] /= length; });
  });
  const entry = (r, c) => (rows <= columns ? vectors[r][c] : vectors[c][r]);
  return Float64Array.from({ length: rows * columns }, (_, i) => scale * entry(Math.floor(i / columns), i % columns));
}

/**
 * What trains several networks, each given by its layers, over at most so many rows of samples.
 *
 * `passes` has one entry a network: `forward(x, rows)` gives the last layer's outputs, and `backward(slopes, rows)` keeps
 * the gradients of what the last `forward` saw, from that of its outputs. `descend(rate, most)` is Adam's step (β₁ = 0.9,
 * β₂ = 0.999, ε = 10⁻⁵) on all gradients, scaled down to the norm `most`. `weights()` gives each network's weights and
 * biases, layer by layer.
 */
export function makePlainLearner(networks, mostRows) {
  const passes = networks.map((layers) => makePass(layers, mostRows));
  const parameters = networks.flat().flatMap(({ weight, bias }) => [weight, bias]);
  const gradients = passes.flatMap(({ gradients }) => gradients.flatMap(({ weight, bias }) => [weight, bias]));
  const moments = parameters.map((u) => [new Float64Array(u.length), new Float64Array(u.length)]);
  let steps = 0;

  function descend(rate, most) {
    const factor = Math.min(1, most / Math.sqrt(gradients.reduce((sum, slopes) => sum + squares(slopes), 0)));
    steps += 1;
    const [first, second] = [1 - 0.9 ** steps, 1 - 0.999 ** steps];
    parameters.forEach((u, j) => {
      const [[mean, square], slopes] = [moments[j], gradients[j]];
      for (let i = 0; i < u.length; i++) {
        const slope = slopes[i] * factor;
        mean[i] = 0.9 * mean[i] + 0.1 * slope;
        square[i] = 0.999 * square[i] + 0.001 * slope * slope;
        u[i] -= (rate * (mean[i] / first)) / (Math.sqrt(square[i] / second) + 1e-5);
      }
    });
  }
  return { passes, descend, weights: () => networks.map((layers) => layers.flatMap(({ weight, bias }) => [weight, bias])) };
}

function squares(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}

function makePass(layers, mostRows) {
  const last = layers.length - 1;
  const widest = Math.max(...layers.flatMap(({ inputs, outputs }) => [inputs, outputs]));
  const room = () => layers.map(({ outputs }) => new Float64Array(mostRows * outputs));
  const [outputs, slopes] = [room(), room()];
  const [turnedD, turnedX, turnedW] = [mostRows * widest, mostRows * widest, widest * widest].map((size) => new Float64Array(size));
  const gradients = layers.map(({ weight, bias }) => ({ weight: new Float64Array(weight.length), bias: new Float64Array(bias.length) }));
  let seen = null;

  function forward(x, rows) {
    seen = x;
    layers.forEach((layer, l) => {
      product(l ? outputs[l - 1] : x, rows, layer.weight, layer.outputs, layer.inputs, outputs[l]);
      activate(outputs[l], layer.bias, rows, l < last ? Math.tanh : (u) => u);
    });
    return outputs[last];
  }
  function backward(given, rows) {
    slopes[last].set(given);
    for (let l = last; l >= 0; l--) {
      const [{ weight, inputs, outputs: wide }, d, gradient] = [layers[l], slopes[l], gradients[l]];
      transposed(d, rows, wide, turnedD);
      transposed(l ? outputs[l - 1] : seen, rows, inputs, turnedX);
      product(turnedD, wide, turnedX, inputs, rows, gradient.weight);
      for (let o = 0; o < wide; o++) gradient.bias[o] = turnedD.subarray(o * rows, (o + 1) * rows).reduce((a, b) => a + b, 0);
      if (!l) break;
      transposed(weight, wide, inputs, turnedW);
      product(d, rows, turnedW, inputs, wide, slopes[l - 1]);
      const [back, y] = [slopes[l - 1], outputs[l - 1]];
      for (let i = 0; i < rows * inputs; i++) back[i] *= 1 - y[i] * y[i];
    }
  }
  return { forward, backward, gradients };
}

/** A function of a layer's sums and biases, in place. */
function activate(y, bias, rows, how) {
  const width = bias.length;
  for (let r = 0; r < rows; r++) for (let o = 0; o < width; o++) y[r * width + o] = how(y[r * width + o] + bias[o]);
}
