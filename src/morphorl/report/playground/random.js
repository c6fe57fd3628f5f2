// Numbers drawn from a seed, the same on every machine.

/** A generator of uniform and normal numbers: sfc32, a small one with a counter, from Chris Doty-Humphrey's PractRand (public domain). */
export function makeRandom(seed) {
  let [a, b, c, counter] = [seed >>> 0, 0x9e3779b9, 0x243f6a88, 1];
  const uniform = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 15; i++) uniform();
  let spare = null;
  const normal = () => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    const size = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = size * Math.sin(angle);
    return size * Math.cos(angle);
  };
  const below = (n) => Math.floor(n * uniform());
  return { uniform, normal, below };
}

/** The places 0 to n − 1 in a random order (Fisher and Yates). */
export function shuffled(random, n) {
  const places = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [places[i], places[j]] = [places[j], places[i]];
  }
  return places;
}
