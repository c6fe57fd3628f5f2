// What few seeds tell: the interquartile mean with its bootstrap interval, and how often fewer would have misled.
import { makeRandom } from "./random.js";

const RESAMPLES = 1000;
const ascending = (a, b) => a - b;

/** The mean of the middle half (analysis/bootstrap.py). */
export function interquartileMean(scores) {
  const sorted = Float64Array.from(scores).sort(ascending);
  const cut = Math.floor(sorted.length / 4);
  const middle = sorted.subarray(cut, sorted.length - cut);
  return middle.reduce((a, b) => a + b, 0) / middle.length;
}

/** The interquartile mean and its 95% bootstrap interval over seeds; none for one seed. */
export function estimate(scores) {
  const value = interquartileMean(scores);
  if (scores.length < 2) return { value, low: null, high: null };
  const random = makeRandom(1);
  const drawn = Array.from({ length: RESAMPLES }, () => interquartileMean(scores.map(() => scores[random.below(scores.length)]))).sort(ascending);
  return { value, low: drawn[Math.floor(0.025 * RESAMPLES)], high: drawn[Math.ceil(0.975 * RESAMPLES) - 1] };
}

/** Every way to choose k of n places. */
export function choices(n, k, from = 0) {
  if (k === 0) return [[]];
  return Array.from({ length: n - from }, (_, i) => from + i).flatMap((first) => choices(n, k - 1, first + 1).map((rest) => [first, ...rest]));
}

/** Of all ways to take k seeds of each arm, the shares in which the other arm's mean is higher, and the number of ways. */
export function fewSeeds(ours, theirs, k) {
  const means = (scores) => choices(scores.length, k).map((places) => places.reduce((sum, i) => sum + scores[i], 0) / k);
  const [a, b] = [means(ours), means(theirs)];
  let higher = 0;
  for (const one of b) for (const other of a) higher += one > other ? 1 : one === other ? 0.5 : 0;
  return { share: higher / (a.length * b.length), ways: a.length * b.length };
}
