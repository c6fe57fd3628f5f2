// Networks on many samples at once, forwards and backwards, for training: ppo/networks.py. Samples are rows here. Four sums
// at a time, since a processor waits for one.

/** y = W x + b for each row of x, with tanh if asked. */
export function forwardRows({ weight, bias, inputs, outputs }, x, rows, hidden, y) {
  for (let r = 0; r < rows; r++) {
    const from = r * inputs;
    let o = 0;
    for (; o + 3 < outputs; o += 4) {
      let [s0, s1, s2, s3] = [bias[o], bias[o + 1], bias[o + 2], bias[o + 3]];
      let [w0, w1, w2, w3] = [o * inputs, (o + 1) * inputs, (o + 2) * inputs, (o + 3) * inputs];
      for (let i = from; i < from + inputs; i++) {
        const v = x[i];
        s0 += weight[w0++] * v;
        s1 += weight[w1++] * v;
        s2 += weight[w2++] * v;
        s3 += weight[w3++] * v;
      }
      const at = r * outputs + o;
      y[at] = s0;
      y[at + 1] = s1;
      y[at + 2] = s2;
      y[at + 3] = s3;
    }
    for (; o < outputs; o++) {
      let sum = bias[o];
      for (let i = 0; i < inputs; i++) sum += weight[o * inputs + i] * x[from + i];
      y[r * outputs + o] = sum;
    }
  }
  if (hidden) for (let i = 0; i < rows * outputs; i++) y[i] = Math.tanh(y[i]);
}

/** Gradients of W and b, and of x where `back` is given, from that of y, in `d`. */
export function backwardRows({ weight, inputs, outputs }, x, d, rows, gradient, back) {
  gradient.weight.fill(0);
  gradient.bias.fill(0);
  for (let r = 0; r < rows; r++) for (let o = 0; o < outputs; o++) gradient.bias[o] += d[r * outputs + o];
  let r = 0;
  for (; r + 3 < rows; r += 4) {
    for (let o = 0; o < outputs; o++) {
      const at = r * outputs + o;
      const [d0, d1, d2, d3] = [d[at], d[at + outputs], d[at + 2 * outputs], d[at + 3 * outputs]];
      let [x0, x1, x2, x3] = [r * inputs, (r + 1) * inputs, (r + 2) * inputs, (r + 3) * inputs];
      for (let w = o * inputs; w < (o + 1) * inputs; w++) gradient.weight[w] += d0 * x[x0++] + d1 * x[x1++] + d2 * x[x2++] + d3 * x[x3++];
    }
  }
  for (; r < rows; r++) {
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) gradient.weight[o * inputs + i] += d[r * outputs + o] * x[r * inputs + i];
  }
  if (back) backwardInputs(weight, inputs, outputs, d, rows, back);
}

/** The gradient of x, Wᵀ d. */
function backwardInputs(weight, inputs, outputs, d, rows, back) {
  back.fill(0, 0, rows * inputs);
  for (let r = 0; r < rows; r++) {
    const to = r * inputs;
    let o = 0;
    for (; o + 3 < outputs; o += 4) {
      const at = r * outputs + o;
      const [d0, d1, d2, d3] = [d[at], d[at + 1], d[at + 2], d[at + 3]];
      let [w0, w1, w2, w3] = [o * inputs, (o + 1) * inputs, (o + 2) * inputs, (o + 3) * inputs];
      for (let i = to; i < to + inputs; i++) back[i] += d0 * weight[w0++] + d1 * weight[w1++] + d2 * weight[w2++] + d3 * weight[w3++];
    }
    for (; o < outputs; o++) for (let i = 0; i < inputs; i++) back[to + i] += d[r * outputs + o] * weight[o * inputs + i];
  }
}

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

/** The layers' outputs for rows of x; the buffers are made once for so many rows. */
export function makePass(network, mostRows) {
  const outputs = network.map((layer) => new Float64Array(mostRows * layer.outputs));
  const slopes = network.map((layer) => new Float64Array(mostRows * layer.outputs));
  const gradients = network.map((layer) => ({ weight: new Float64Array(layer.weight.length), bias: new Float64Array(layer.bias.length) }));
  const last = network.length - 1;
  const forward = (x, rows) => {
    network.forEach((layer, l) => forwardRows(layer, l ? outputs[l - 1] : x, rows, l < last, outputs[l]));
    return outputs[last];
  };
  /** Gradients from that of the last layer's outputs, which the caller has written into `slopes[last]`. */
  const backward = (x, rows) => {
    for (let l = last; l >= 0; l--) {
      const layer = network[l];
      backwardRows(layer, l ? outputs[l - 1] : x, slopes[l], rows, gradients[l], l ? slopes[l - 1] : null);
      if (l) for (let i = 0; i < rows * layer.inputs; i++) slopes[l - 1][i] *= 1 - outputs[l - 1][i] * outputs[l - 1][i];
    }
    return gradients;
  };
  return { forward, backward, slopes: slopes[last] };
}
