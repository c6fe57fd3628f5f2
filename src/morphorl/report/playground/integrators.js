// The bank of leaky integrators that serves as memory: dynamics/leaky_integrators.py. Two filters, row by row: a row for
// each feature of the observation, a column for each time scale.

/** An episode starts as if its first observation had been there for ever. */
export function startMemory(memory, x) {
  const copies = () => Float32Array.from({ length: x.length * memory.columns }, (_, i) => x[Math.floor(i / memory.columns)]);
  return { first: copies(), second: copies() };
}

const meanOf = (u) => u.reduce((sum, v) => sum + v, 0) / u.length;

/** A rate for each column, evenly spaced on a logarithmic scale. */
const rates = (fast, slow, columns) => Array.from({ length: columns }, (_, k) => {
  const share = columns > 1 ? k / (columns - 1) : 0;
  return fast ** (1 - share) * slow ** share;
});

/** Both filters one step later: the first follows the observation x, the second the first. */
export function stepMemory(memory, { first, second }, x, strength) {
  const [ratesFirst, ratesSecond] = [rates(memory.first_fast, memory.first_slow, memory.columns), rates(memory.second_fast, memory.second_slow, memory.columns)];
  const [meanFirst, meanSecond] = [meanOf(first), meanOf(second)];
  const bounded = (u) => Math.min(memory.bound, Math.max(-memory.bound, u));
  const next = { first: new Float32Array(first.length), second: new Float32Array(first.length) };
  for (let i = 0; i < first.length; i++) {
    const [row, column, made] = [Math.floor(i / memory.columns), i % memory.columns, memory.production * first[i] * first[i]];
    next.first[i] = bounded(first[i] + ratesFirst[column] * (x[row] - first[i]) + memory.first_diffusion * (meanFirst - first[i])
      + made / (Math.abs(second[i]) + memory.epsilon) + strength * Math.sign(first[i]));
    next.second[i] = bounded(second[i] + ratesSecond[column] * (first[i] - second[i]) + memory.second_diffusion * (meanSecond - second[i])
      + made + strength * Math.sign(second[i]));
  }
  return next;
}

/** What the networks see: [x, k₁·(x − m₁), k₂·(m₁ − m₂)], with the filters that did not know x yet. */
export function showMemory(memory, { first, second }, x) {
  const differences = Array.from(first, (u, i) => memory.first_gain * (x[Math.floor(i / memory.columns)] - u));
  return Float32Array.from([...x, ...differences, ...Array.from(first, (u, i) => memory.second_gain * (u - second[i]))]);
}
