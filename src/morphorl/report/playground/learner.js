// Networks that are trained: their first weights, and passes forwards and backwards over many samples (ppo/networks.py).
import { product, transposed } from "./product.js";

/** A network with orthogonal weights (√2 in hidden layers, `head` in the last) and zero biases. */
export function makeLearner(random, sizes, head) {
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
 * Passes over rows of samples, with buffers for so many of them: `forward` gives the last layer's outputs, and `backward`
 * the gradients, from that of these outputs, which the caller has written into `slopes`.
 */
export function makePass(network, mostRows) {
  const last = network.length - 1;
  const widest = Math.max(...network.flatMap(({ inputs, outputs }) => [inputs, outputs]));
  const room = () => network.map(({ outputs }) => new Float64Array(mostRows * outputs));
  const [outputs, slopes] = [room(), room()];
  const [turnedD, turnedX, turnedW] = [mostRows * widest, mostRows * widest, widest * widest].map((size) => new Float64Array(size));
  const gradients = network.map(({ weight, bias }) => ({ weight: new Float64Array(weight.length), bias: new Float64Array(bias.length) }));

  const forward = (x, rows) => {
    network.forEach((layer, l) => {
      const y = outputs[l];
      product(l ? outputs[l - 1] : x, rows, layer.weight, layer.outputs, layer.inputs, y);
      if (l < last) hide(y, layer.bias, rows);
      else for (let i = 0; i < rows * layer.outputs; i++) y[i] += layer.bias[i % layer.outputs];
    });
    return outputs[last];
  };
  const backward = (x, rows) => {
    for (let l = last; l >= 0; l--) {
      const [{ weight, inputs, outputs: wide }, d, gradient] = [network[l], slopes[l], gradients[l]];
      transposed(d, rows, wide, turnedD);
      transposed(l ? outputs[l - 1] : x, rows, inputs, turnedX);
      product(turnedD, wide, turnedX, inputs, rows, gradient.weight);
      for (let o = 0; o < wide; o++) gradient.bias[o] = turnedD.subarray(o * rows, (o + 1) * rows).reduce((a, b) => a + b, 0);
      if (!l) break;
      transposed(weight, wide, inputs, turnedW);
      product(d, rows, turnedW, inputs, wide, slopes[l - 1]);
      const [back, y] = [slopes[l - 1], outputs[l - 1]];
      for (let i = 0; i < rows * inputs; i++) back[i] *= 1 - y[i] * y[i];
    }
    return gradients;
  };
  return { forward, backward, slopes: slopes[last] };
}

/** tanh of a hidden layer's sums and biases, in place. */
function hide(y, bias, rows) {
  const width = bias.length;
  for (let r = 0; r < rows; r++) for (let o = 0; o < width; o++) y[r * width + o] = Math.tanh(y[r * width + o] + bias[o]);
}
