// Networks that are trained by kernels.wasm, four numbers of single precision at a time; the interface is learner.js's.

/** The kernels from base64; null where a browser has no WebAssembly, or none with four numbers at a time. */
export function compileKernels(text) {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
  } catch {
    return null;
  }
}

const up = (count, unit) => unit * Math.ceil(count / unit);

/** Places in a memory that is still to be made: `take` gives the address of so many numbers of four bytes. */
function makeRoom() {
  let bytes = 0;
  const take = (count) => {
    bytes += 4 * count;
    return bytes - 4 * count;
  };
  return { take, size: () => bytes };
}

/** Trains networks as `makePlainLearner` does, with kernels from `compileKernels`. */
export function makeFastLearner(kernels, networks, mostRows) {
  const room = makeRoom();
  const padded = networks.map((layers) => layers.map(({ inputs, outputs }, l) => {
    const [rows, columns] = [up(inputs, l ? 8 : 4), up(outputs, 8)];
    return { inputs: rows, outputs: columns, weight: room.take(rows * columns), bias: room.take(columns) };
  }));
  const size = room.size();
  const [gradient, mean, square] = [0, 1, 2].map(() => room.take(size / 4)); // in the order of the parameters, from 0 on
  const places = padded.map((layers) => placesOf(layers, up(mostRows, 4), room));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(room.size() / 65_536) });
  const { exports } = new WebAssembly.Instance(kernels, { page: { memory } });
  const numbers = new Float32Array(memory.buffer);
  const passes = networks.map((layers, n) => {
    const shown = new Float64Array(mostRows * layers[layers.length - 1].outputs);
    return makeFastPass(exports, numbers, layers, padded[n], { ...places[n], gradient, shown });
  });
  networks.forEach((layers, n) => layers.forEach((layer, l) => writeLayer(numbers, layer, padded[n][l])));
  let steps = 0;

  function descend(rate, most) {
    steps += 1;
    const factor = Math.min(1, most / Math.sqrt(exports.squares(gradient, size / 4)));
    exports.adam(0, gradient, mean, square, size / 4, factor, rate / (1 - 0.9 ** steps), 1 - 0.999 ** steps);
  }
  const weights = () => networks.map((layers, n) => layers.flatMap((layer, l) => readLayer(numbers, layer, padded[n][l])));
  return { passes, descend, weights };
}

/** Room for a network's inputs, the outputs of its layers and their slopes, a matrix turned over, and zeros. */
function placesOf(layers, rows, room) {
  const all = () => layers.map(({ outputs }) => room.take(rows * outputs));
  const turned = room.take(Math.max(...layers.map(({ inputs, outputs }) => inputs * outputs)));
  const zeros = room.take(Math.max(...layers.map(({ inputs, outputs }) => Math.max(inputs, outputs))));
  return { seen: room.take(rows * layers[0].inputs), outputs: all(), slopes: all(), turned, zeros };
}

function makeFastPass(kernels, numbers, layers, padded, { seen, outputs, slopes, turned, zeros, gradient, shown }) {
  const last = layers.length - 1;
  const before = (l) => (l ? outputs[l - 1] : seen);

  function forward(x, rows) {
    writeRows(numbers, seen / 4, x, rows, layers[0].inputs, padded[0].inputs);
    const fours = up(rows, 4);
    padded.forEach((layer, l) => {
      kernels.product(before(l), 4 * layer.inputs, 4, fours, layer.weight, layer.outputs, layer.inputs, layer.bias, outputs[l]);
      if (l < last) kernels.tanh(outputs[l], fours * layer.outputs);
    });
    const [real, wide] = [layers[last].outputs, padded[last].outputs];
    for (let r = 0; r < rows; r++) for (let o = 0; o < real; o++) shown[r * real + o] = numbers[outputs[last] / 4 + r * wide + o];
    return shown;
  }
  function backward(given, rows) {
    const fours = up(rows, 4);
    writeRows(numbers, slopes[last] / 4, given, rows, layers[last].outputs, padded[last].outputs);
    for (let l = last; l >= 0; l--) {
      const { inputs, outputs: wide, weight, bias } = padded[l];
      kernels.product(before(l), 4, 4 * inputs, inputs, slopes[l], wide, rows, zeros, gradient + weight);
      kernels.sum_of_rows(slopes[l], rows, wide, gradient + bias);
      if (!l) break;
      kernels.transpose(weight, inputs, wide, turned);
      kernels.product(slopes[l], 4 * wide, 4, fours, turned, inputs, wide, zeros, slopes[l - 1]);
      kernels.through_tanh(slopes[l - 1], outputs[l - 1], fours * inputs);
    }
  }
  return { forward, backward };
}

/** Rows of so many numbers into rows of `wide`, from a place on; the rest stays as it is. */
function writeRows(numbers, place, values, rows, columns, wide) {
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) numbers[place + r * wide + c] = values[r * columns + c];
}

/** A layer's weights, a row for each input as the kernels have them, and its biases. */
function writeLayer(numbers, { weight, bias, inputs, outputs }, padded) {
  for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) numbers[padded.weight / 4 + i * padded.outputs + o] = weight[o * inputs + i];
  numbers.set(bias, padded.bias / 4);
}

/** A layer's weights, a row for each output, and its biases. */
function readLayer(numbers, { inputs, outputs }, padded) {
  const weight = Float64Array.from({ length: inputs * outputs }, (_, j) => numbers[padded.weight / 4 + (j % inputs) * padded.outputs + Math.floor(j / inputs)]);
  return [weight, Float64Array.from(numbers.subarray(padded.bias / 4, padded.bias / 4 + outputs))];
}
