// Numbers as text, and scales that turn numbers into places.

/** A number of three digits, with k for thousands and M for millions. */
export function short(value) {
  if (value === null || value === undefined) return "unknown";
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e3) return `${+(value / 1e3).toPrecision(3)}k`;
  return `${+value.toPrecision(3)}`;
}
/** A number of two digits. */
export const brief = (value) => `${Number(value.toPrecision(2))}`;
/** A number of so many digits after the point, and no zero with a minus. */
export const fixed = (value, digits) => value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1");
/** A share in percent; a dash where there is none. */
export const percent = (value) => (value === null ? "–" : `${Math.round(100 * value)}%`);
/** A share in percent with its sign; a dash where there is none. */
export const signed = (value) => (value === null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(Math.round(100 * value))}%`);
/** Both ends of an interval in words. */
export const interval = (low, high, text = short) => (low === null ? "no interval" : `${text(low)} to ${text(high)}`);

/** The map of numbers from `low` to `high` onto places from `from` to `to`, with its inverse and its ticks. */
export function scale(low, high, from, to, log = false) {
  const warp = log ? Math.log10 : (u) => u;
  const [a, b] = [warp(low), warp(high)];
  const at = (u) => from + ((warp(log ? Math.max(u, low) : u) - a) / (b - a || 1)) * (to - from);
  at.invert = (pixel) => {
    const u = a + ((pixel - from) / (to - from)) * (b - a);
    return log ? 10 ** u : u;
  };
  at.ticks = log ? logTicks(low, high) : linearTicks(low, high, Math.abs(to - from) / 60);
  return at;
}

/** About `wanted` round numbers between two, evenly spaced. */
export function linearTicks(low, high, wanted) {
  const raw = (high - low) / Math.max(2, wanted);
  const unit = 10 ** Math.floor(Math.log10(raw || 1));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((size) => size >= raw);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** The numbers 1, 2 and 5 times a power of ten between two. */
export function logTicks(low, high) {
  const ticks = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++) {
    for (const m of [1, 2, 5]) if (m * 10 ** decade >= low && m * 10 ** decade <= high) ticks.push(m * 10 ** decade);
  }
  return ticks;
}

/** A line through points, as the `d` of an SVG path. */
export const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
/** The area between two lines, as the `d` of an SVG path. */
export const band = (upper, lower) => `${path(upper.concat([...lower].reverse()))}Z`;
/** Points of a line that stays as it is until the next point. */
export const stairs = (points) => points.flatMap(([x, y], i) => (i ? [[x, points[i - 1][1]], [x, y]] : [[x, y]]));
