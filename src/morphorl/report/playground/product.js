// Products of matrices that are stored row by row. Two rows and four columns at a time: a processor computes sums that do
// not wait for each other at once, and what it has loaded it uses twice.

/** The product of a and the transpose of b, out[r][o] = Σ_k a[r][k]·b[o][k], for so many rows of both. */
export function product(a, rows, b, columns, shared, out) {
  const [pairs, fours] = [rows - (rows % 2), columns - (columns % 4)];
  for (let r = 0; r < pairs; r += 2) for (let o = 0; o < fours; o += 4) block(a, b, out, shared, columns, r, o);
  for (let r = 0; r < rows; r++) {
    for (let o = r < pairs ? fours : 0; o < columns; o++) out[r * columns + o] = dotOf(a, r * shared, b, o * shared, shared);
  }
}

function dotOf(a, i, b, j, count) {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += a[i + k] * b[j + k];
  return sum;
}

function block(a, b, out, shared, columns, r, o) {
  let p0 = 0, p1 = 0, p2 = 0, p3 = 0, q0 = 0, q1 = 0, q2 = 0, q3 = 0;
  let b0 = o * shared;
  let b1 = b0 + shared, b2 = b1 + shared, b3 = b2 + shared;
  const from = r * shared;
  const to = from + shared;
  for (let i = from, j = to; i < to; i++, j++) {
    const u = a[i], v = a[j], w0 = b[b0++], w1 = b[b1++], w2 = b[b2++], w3 = b[b3++];
    p0 += w0 * u;
    p1 += w1 * u;
    p2 += w2 * u;
    p3 += w3 * u;
    q0 += w0 * v;
    q1 += w1 * v;
    q2 += w2 * v;
    q3 += w3 * v;
  }
  const at = r * columns + o;
  out[at] = p0;
  out[at + 1] = p1;
  out[at + 2] = p2;
  out[at + 3] = p3;
  out[at + columns] = q0;
  out[at + columns + 1] = q1;
  out[at + columns + 2] = q2;
  out[at + columns + 3] = q3;
}

/** The transpose of a matrix of so many rows and columns, into `out`. */
export function transposed(a, rows, columns, out) {
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = a[r * columns + c];
}
