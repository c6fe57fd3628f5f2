// The post's system: dynamics/reaction_diffusion.py. Activator and inhibitor are arrays of single precision, row by row: a
// row for each feature of the observation, a column for each action.

/** Blind guidance, γ·sign(u). */
const guide = (strength, u) => strength * Math.sign(u);

const wrap = (i, n) => (i + n) % n;

/** C(u) = N(u) − u: the mean over each entry's neighbours less the entry. */
export const COUPLE = {
  mean: (u) => {
    const mean = u.reduce((sum, v) => sum + v, 0) / u.length;
    return (i) => mean - u[i];
  },
  ring: (u) => (i) => (u[wrap(i - 1, u.length)] + u[wrap(i + 1, u.length)]) / 2 - u[i],
  lattice: (u, _, columns) => (i) => {
    const [rows, row, column] = [u.length / columns, Math.floor(i / columns), i % columns];
    const at = (r, c) => u[wrap(r, rows) * columns + wrap(c, columns)];
    return (at(row - 1, column) + at(row + 1, column) + at(row, column - 1) + at(row, column + 1)) / 4 - u[i];
  },
  partner: (u, partner) => (i) => partner[i] - u[i],
};

/** The weights of the rows: how the observation emphasises them. */
export const EMPHASISE = {
  linear: (x) => x,
  softmax: (x) => {
    const largest = x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const powers = Array.from(x, (v) => Math.exp(Math.abs(v) - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((v) => v / sum);
  },
  winner: (x) => {
    const sizes = Array.from(x, Math.abs);
    const first = sizes.indexOf(Math.max(...sizes));
    return sizes.map((_, i) => (i === first ? 1 : 0));
  },
};

/** The share of a step by which each row advances. */
function shares(cell, x) {
  if (cell.gate === "none") return null;
  const sizes = Array.from(EMPHASISE[cell.emphasis](x), Math.abs);
  const largest = Math.max(...sizes);
  return sizes.map((size) => (largest > 0 ? size / largest : 1));
}

/** The state after one environment step under an observation x, with the strength of the guidance. */
export function stepCell(cell, { activator: a, inhibitor: h }, x, strength) {
  const columns = a.length / x.length;
  const [coupledA, coupledH] = [COUPLE[cell.coupling](a, h, columns), COUPLE[cell.coupling](h, a, columns)];
  const share = shares(cell, x);
  const bounded = (u) => Math.min(cell.bound, Math.max(-cell.bound, u));
  const next = { activator: new Float32Array(a.length), inhibitor: new Float32Array(a.length) };
  for (let i = 0; i < a.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const square = a[i] * a[i];
    const fed = columns > 1 ? x[row] * (1 - (2 * column) / (columns - 1)) : x[row];
    const rateA = cell.activator_diffusion * coupledA(i) + (cell.activator_production * square) / (Math.abs(h[i]) + cell.epsilon)
      - cell.activator_decay * a[i] + guide(strength, a[i]) + cell.drive * fed;
    const rateH = cell.inhibitor_diffusion * coupledH(i) + cell.inhibitor_production * square - cell.inhibitor_decay * h[i] + guide(strength, h[i]);
    const step = cell.dt * (share ? share[row] : 1);
    next.activator[i] = bounded(a[i] + step * rateA);
    next.inhibitor[i] = bounded(h[i] + step * rateH);
  }
  return next;
}

/** The readout o_k = Σ_i w_i(x)·a_ik, or with a − h. */
export function readCell(cell, { activator, inhibitor }, x) {
  const weights = EMPHASISE[cell.emphasis](x);
  const columns = activator.length / x.length;
  const source = (i) => (cell.readout === "difference" ? activator[i] - inhibitor[i] : activator[i]);
  return Float32Array.from({ length: columns }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += weights[i] * source(i * columns + k);
    return sum;
  });
}

/** A pattern drawn as the settings say. */
export function drawCell(cell, random, size) {
  const ratio = cell.activator_production / cell.activator_decay;
  const rest = (cell.inhibitor_decay * ratio) / cell.inhibitor_production;
  const around = (u) => Float32Array.from({ length: size }, () => cell.initial === "positive" ? u * (1 + cell.initial_scale * random.normal()) : cell.initial_scale * random.normal());
  return { activator: around(rest), inhibitor: around(rest * ratio) };
}

/** How many entries of both states are at the bound. */
export function atBound(cell, { activator, inhibitor }) {
  const count = (u) => u.reduce((n, v) => n + (Math.abs(v) >= cell.bound ? 1 : 0), 0);
  return count(activator) + count(inhibitor);
}
