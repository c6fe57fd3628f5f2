// The policy network and how its logits meet the readout: ppo/networks.py, ppo/agent.py, dynamics/blending.py.

const ACTIVATE = { tanh: Math.tanh, relu: (x) => Math.max(0, x), identity: (x) => x };

/** One layer y = f(W x + b); W row by row. */
function applyLayer({ weight, bias }, x, activate) {
  const y = new Float64Array(bias.length);
  for (let o = 0; o < bias.length; o++) {
    let sum = bias[o];
    for (let i = 0, at = o * x.length; i < x.length; i++, at++) sum += weight[at] * x[i];
    y[o] = activate(sum);
  }
  return y;
}

/** The last layer of a multilayer perceptron for one input x, and S x beside it where there is a linear path S. */
export function forwardOne({ layers, activation, skip }, x) {
  const last = layers.length - 1;
  const y = layers.reduce((y, layer, i) => applyLayer(layer, y, i < last ? ACTIVATE[activation] : ACTIVATE.identity), x);
  return skip ? applyLayer({ weight: skip, bias: y }, x, ACTIVATE.identity) : y;
}

/** The observation as the networks see it: as it is, or (x − mean)/deviation within ±10. */
export function standardise(statistics, x) {
  if (!statistics) return x;
  return Float64Array.from(x, (v, i) => Math.min(10, Math.max(-10, (v - statistics.mean[i]) / statistics.deviation[i])));
}

/** Network logits z and readout o as one. */
export const BLEND = {
  none: (z) => z,
  average: (z, o, weight) => Float64Array.from(z, (v, k) => (1 - weight) * v + weight * o[k]),
  add: (z, o, weight) => Float64Array.from(z, (v, k) => v + weight * o[k]),
};

/** Probabilities of logits. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (v) => Math.exp(v - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / sum);
}

/** The most probable action, or with a uniform number the one that it draws. */
export function chooseAction(logits, uniform = null) {
  if (uniform === null) return logits.indexOf(Math.max(...logits));
  const probabilities = softmax(logits);
  let [k, rest] = [0, uniform];
  while (k < probabilities.length - 1 && rest >= probabilities[k]) rest -= probabilities[k++];
  return k;
}
