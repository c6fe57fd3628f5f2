// The Gierer-Meinhardt field on a periodic square: dynamics/pde/gierer_meinhardt.py with exponential time differencing of
// first order. Activator and inhibitor are the real and the imaginary part of one field, so that one Fourier transform
// serves both.

/** In-place Fourier transform of a square of complex numbers whose side is a power of two (Cooley and Tukey). */
export function makeFourier(side) {
  const cos = Float64Array.from({ length: side / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / side));
  const sin = Float64Array.from({ length: side / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / side));
  const bits = Math.log2(side);
  const mirrored = Int32Array.from({ length: side }, (_, i) => {
    let place = 0;
    for (let b = 0; b < bits; b++) if (i & (1 << b)) place |= 1 << (bits - 1 - b);
    return place;
  });
  function line(re, im, from, stride, sign) {
    for (let i = 0; i < side; i++) {
      const j = mirrored[i];
      if (j > i) {
        const [p, q] = [from + i * stride, from + j * stride];
        [re[p], re[q], im[p], im[q]] = [re[q], re[p], im[q], im[p]];
      }
    }
    for (let half = 1; half < side; half *= 2) butterflies(re, im, from, stride, sign, half);
  }
  function butterflies(re, im, from, stride, sign, half) {
    const turn = side / (2 * half);
    for (let k = 0; k < half; k++) {
      const [c, s] = [cos[k * turn], sign * sin[k * turn]];
      for (let i = k; i < side; i += 2 * half) {
        const p = from + i * stride;
        const q = p + half * stride;
        const x = re[q] * c - im[q] * s;
        const y = re[q] * s + im[q] * c;
        re[q] = re[p] - x;
        im[q] = im[p] - y;
        re[p] += x;
        im[p] += y;
      }
    }
  }
  function both(re, im, sign) {
    for (let i = 0; i < side; i++) line(re, im, i * side, 1, sign);
    for (let i = 0; i < side; i++) line(re, im, i, side, sign);
  }
  const forward = (re, im) => both(re, im, -1);
  const inverse = (re, im) => {
    both(re, im, 1);
    for (let i = 0; i < re.length; i++) {
      re[i] /= side * side;
      im[i] /= side * side;
    }
  };
  return { forward, inverse };
}

/**
 * What one step does to each wave k: e^{LΔ} and ∫e^{Ls}ds with L = −(D k² + μ), of activator and inhibitor. Each is kept
 * as half the sum and half the difference of the two, which multiply Z(k) and the conjugate of Z(−k).
 */
function factorsOf(equation, { size, length }, dt) {
  const factors = { keepSum: [], keepGap: [], makeSum: [], makeGap: [] };
  const wave = (i) => ((2 * Math.PI) / length) * Math.min(i, size - i);
  for (let i = 0; i < size * size; i++) {
    const square = wave(Math.floor(i / size)) ** 2 + wave(i % size) ** 2;
    const rates = [equation.activator_diffusion * square + equation.activator_decay, equation.inhibitor_diffusion * square + equation.inhibitor_decay];
    const [keepA, keepH] = rates.map((rate) => Math.exp(-rate * dt));
    const [makeA, makeH] = rates.map((rate) => -Math.expm1(-rate * dt) / rate);
    factors.keepSum.push((keepA + keepH) / 2);
    factors.keepGap.push((keepA - keepH) / 2);
    factors.makeSum.push((makeA + makeH) / 2);
    factors.makeGap.push((makeA - makeH) / 2);
  }
  return Object.fromEntries(Object.entries(factors).map(([name, values]) => [name, Float64Array.from(values)]));
}

/** A field that is advanced in place: `activator` and `inhibitor` row by row. */
export function makeField(grid, dt, activator, inhibitor) {
  const fourier = makeFourier(grid.size);
  const count = grid.size * grid.size;
  const opposite = Int32Array.from({ length: count }, (_, i) => {
    const [row, column] = [Math.floor(i / grid.size), i % grid.size];
    return ((grid.size - row) % grid.size) * grid.size + ((grid.size - column) % grid.size);
  });
  const field = { activator: Float64Array.from(activator), inhibitor: Float64Array.from(inhibitor) };
  const [made, lost] = [new Float64Array(count), new Float64Array(count)];
  const [nextA, nextH] = [new Float64Array(count), new Float64Array(count)];
  let factors = null;

  function react(equation) {
    const { activator: a, inhibitor: h } = field;
    for (let i = 0; i < count; i++) {
      const square = a[i] * a[i];
      made[i] = (equation.activator_production * square) / ((1 + equation.saturation * square) * Math.max(h[i], equation.floor)) + equation.activator_guidance * Math.sign(a[i]);
      lost[i] = equation.inhibitor_production * square + equation.inhibitor_guidance * Math.sign(h[i]);
    }
  }

  function step(equation) {
    const { activator: a, inhibitor: h } = field;
    react(equation);
    fourier.forward(a, h);
    fourier.forward(made, lost);
    const { keepSum, keepGap, makeSum, makeGap } = factors;
    for (let i = 0; i < count; i++) {
      const j = opposite[i];
      nextA[i] = keepSum[i] * a[i] + keepGap[i] * a[j] + makeSum[i] * made[i] + makeGap[i] * made[j];
      nextH[i] = keepSum[i] * h[i] - keepGap[i] * h[j] + makeSum[i] * lost[i] - makeGap[i] * lost[j];
    }
    a.set(nextA);
    h.set(nextH);
    fourier.inverse(a, h);
  }

  /** So many steps; after `retune` the next ones follow another equation. */
  const advance = (equation, steps) => {
    if (!factors) factors = factorsOf(equation, grid, dt);
    for (let i = 0; i < steps; i++) step(equation);
  };
  const retune = () => { factors = null; };
  return { field, advance, retune };
}

/** The spread of the activator over the square relative to its mean: 0 where no pattern is. */
export function contrastOf(activator) {
  let [sum, squares] = [0, 0];
  for (const v of activator) {
    sum += v;
    squares += v * v;
  }
  const mean = sum / activator.length;
  return Math.sqrt(Math.max(0, squares / activator.length - mean * mean)) / Math.abs(mean || 1);
}

/** The guidance at which linear theory lets patterns end, between the points of a table that Python computed. */
export function criticalStrength({ ratios, saturations, strengths }, ratio, saturation) {
  const [r, s] = [placeIn(ratios, ratio), placeIn(saturations, saturation)];
  const at = (row) => (1 - r.share) * strengths[row][r.below] + r.share * strengths[row][r.below + 1];
  return (1 - s.share) * at(s.below) + s.share * at(s.below + 1);
}

function placeIn(grid, value) {
  const below = Math.max(0, Math.min(grid.length - 2, grid.findLastIndex((point) => point <= value)));
  const share = (value - grid[below]) / (grid[below + 1] - grid[below]);
  return { below, share: Math.min(1, Math.max(0, share)) };
}
