// PPO with or without the cell, as ppo/{rollout,losses,learning,training}.py train it, for the page's workers.
import { hasFallen, moveCart, startCart } from "./cartpole.js";
import { drawCell, readCell, stepCell } from "./cell.js";
import { makeLearner, makePass } from "./learner.js";
import { BLEND, chooseAction, softmax } from "./network.js";
import { makeRandom, shuffled } from "./random.js";

const INPUTS = 4;
const CHOICES = 2;

/** A learner before its first update. `task` holds PPO's settings, the cell's (or null), blend and strength. */
export function makeTraining(task, seed) {
  const { ppo } = task;
  const random = makeRandom(seed + 1);
  const actor = makeLearner(random, [INPUTS, ...ppo.hidden, CHOICES], 0.01);
  const critic = makeLearner(random, [INPUTS, ...ppo.hidden, 1], 1);
  const batch = ppo.num_envs * ppo.rollout_steps;
  const pattern = task.cell ? drawCell(task.cell, makeRandom(seed + 100_001), INPUTS * CHOICES) : null;
  const moments = [actor, critic].flat().map(({ weight, bias }) => [weight, bias].map((u) => [new Float64Array(u.length), new Float64Array(u.length)]));
  const fresh = () => ({ cart: startCart(random), cells: pattern, total: 0 });
  return {
    task, random, actor, critic, pattern, moments, fresh, adamSteps: 0, updates: 0,
    statistics: { size: 0, mean: new Float64Array(INPUTS), deviations: new Float64Array(INPUTS) },
    envs: Array.from({ length: ppo.num_envs }, fresh),
    single: makePass(actor, ppo.num_envs),
    values: makePass(critic, batch + ppo.num_envs), policy: makePass(actor, batch / ppo.minibatches), value: makePass(critic, batch / ppo.minibatches),
  };
}

/** The observations as the networks see them, row by row into `rows`. */
function view({ task, statistics }, cart, rows, at) {
  for (let i = 0; i < INPUTS; i++) {
    if (!task.ppo.normalise_observations) { rows[at + i] = cart[i]; continue; }
    const variance = statistics.size ? statistics.deviations[i] / statistics.size : 1;
    rows[at + i] = Math.min(10, Math.max(-10, (cart[i] - statistics.mean[i]) / Math.sqrt(variance + 1e-8)));
  }
}

/** The cells of an environment after a step, and their readout. */
function respond(task, cells, cart) {
  if (!task.cell) return { cells, readout: [0, 0] };
  const after = stepCell(task.cell, cells, cart, task.strength);
  return { cells: after, readout: readCell(task.cell, after, cart) };
}

/** Acts for one rollout in all environments. */
function collect(training) {
  const { task, random, envs, single } = training;
  const { rollout_steps: time, num_envs: width } = task.ppo;
  const rows = time * width;
  const rollout = {
    raw: new Float64Array(rows * INPUTS), seen: new Float64Array((rows + width) * INPUTS), readout: new Float64Array(rows * CHOICES), action: new Int8Array(rows),
    logProbability: new Float64Array(rows), terminated: new Uint8Array(rows), truncated: new Uint8Array(rows), cutOff: [], returns: [],
  };
  const now = new Float64Array(width * INPUTS);
  for (let t = 0; t < time; t++) {
    envs.forEach(({ cart }, e) => view(training, cart, now, e * INPUTS));
    rollout.seen.set(now, t * width * INPUTS);
    const logits = single.forward(now, width);
    for (let e = 0; e < width; e++) {
      const [env, row] = [envs[e], t * width + e];
      const { cells, readout } = respond(task, env.cells, env.cart);
      const blended = BLEND[task.blend](logits.subarray(e * CHOICES, (e + 1) * CHOICES), readout, task.weight);
      const action = chooseAction(blended, random.uniform());
      rollout.raw.set(env.cart, row * INPUTS);
      rollout.readout.set(readout, row * CHOICES);
      rollout.action[row] = action;
      rollout.logProbability[row] = Math.log(softmax(blended)[action]);
      const after = { cart: moveCart(task.constants, env.cart, action), cells, total: env.total + 1 };
      rollout.terminated[row] = hasFallen(task.constants, after.cart);
      rollout.truncated[row] = after.total >= task.constants.timeLimit;
      const ended = rollout.terminated[row] || rollout.truncated[row];
      if (ended) rollout.returns.push(after.total);
      if (rollout.truncated[row]) rollout.cutOff.push({ row, cart: after.cart });
      envs[e] = ended ? training.fresh() : after;
    }
  }
  envs.forEach(({ cart }, e) => view(training, cart, rollout.seen, (rows + e) * INPUTS));
  return rollout;
}

/** Values, and generalised advantages: A_t = δ_t + γλ·A_{t+1}, cut where an episode ended. */
function judge(training, rollout) {
  const { ppo } = training.task;
  const { rollout_steps: time, num_envs: width } = ppo;
  const values = training.values.forward(rollout.seen, (time + 1) * width).slice(0, (time + 1) * width);
  const following = values.slice(width);
  for (const { row, cart } of rollout.cutOff) {
    const one = new Float64Array(INPUTS);
    view(training, cart, one, 0);
    [following[row]] = training.values.forward(one, 1);
  }
  const advantages = new Float64Array(time * width);
  for (let row = time * width - 1; row >= 0; row--) {
    const ended = rollout.terminated[row] || rollout.truncated[row];
    const error = 1 + (rollout.terminated[row] ? 0 : ppo.discount * following[row]) - values[row];
    const later = ended || row + width >= time * width ? 0 : advantages[row + width];
    advantages[row] = error + ppo.discount * ppo.gae_lambda * later;
  }
  return { values, advantages };
}

/** Gradients of PPO's loss with respect to the logits, into the policy's slopes. */
function policySlopes(training, rollout, chosen, advantages, logits) {
  const { task, policy } = training;
  const { ppo } = task;
  const share = task.blend === "average" ? 1 - task.weight : 1;
  chosen.forEach((row, r) => {
    const readout = rollout.readout.subarray(row * CHOICES, (row + 1) * CHOICES);
    const acted = softmax(BLEND[task.blend](logits.subarray(r * CHOICES, (r + 1) * CHOICES), readout, task.weight));
    const action = rollout.action[row];
    const ratio = Math.exp(Math.log(acted[action]) - rollout.logProbability[row]);
    const clipped = Math.min(1 + ppo.clip, Math.max(1 - ppo.clip, ratio));
    const pull = ratio * advantages[r] <= clipped * advantages[r] ? -advantages[r] * ratio : 0;
    const entropy = -acted.reduce((sum, p) => sum + p * Math.log(p), 0);
    for (let k = 0; k < CHOICES; k++) {
      const surprise = ppo.entropy_coefficient * acted[k] * (Math.log(acted[k]) + entropy);
      policy.slopes[r * CHOICES + k] = (share * (pull * ((k === action ? 1 : 0) - acted[k]) + surprise)) / chosen.length;
    }
  });
}

/** Gradients of the (clipped) value loss with respect to the values. */
function valueSlopes(training, chosen, judged, values) {
  const { ppo } = training.task;
  const most = ppo.value_clip ?? Infinity;
  chosen.forEach((row, r) => {
    const [target, moved] = [judged.advantages[row] + judged.values[row], values[r] - judged.values[row]];
    const clipped = judged.values[row] + Math.min(most, Math.max(-most, moved));
    const free = (values[r] - target) ** 2 >= (clipped - target) ** 2;
    const slope = free ? values[r] - target : (clipped - target) * (Math.abs(moved) < most ? 1 : 0);
    training.value.slopes[r] = (ppo.value_coefficient * slope) / chosen.length;
  });
}

/** The gradient on one minibatch: the actor's layers, then the critic's. */
function gradientOf(training, rollout, judged, chosen) {
  const rows = chosen.length;
  const seen = new Float64Array(rows * INPUTS);
  chosen.forEach((row, r) => seen.set(rollout.seen.subarray(row * INPUTS, (row + 1) * INPUTS), r * INPUTS));
  const picked = Float64Array.from(chosen, (row) => judged.advantages[row]);
  const mean = picked.reduce((a, b) => a + b, 0) / rows;
  const deviation = Math.sqrt(picked.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows);
  const normal = picked.map((v) => (v - mean) / (deviation + 1e-8));
  policySlopes(training, rollout, chosen, normal, training.policy.forward(seen, rows));
  valueSlopes(training, chosen, judged, training.value.forward(seen, rows));
  return [...training.policy.backward(seen, rows), ...training.value.backward(seen, rows)];
}

/** Adam's step (β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁵) on a gradient scaled down to its largest norm. */
function descend(training, gradient, rate) {
  const most = training.task.ppo.max_gradient_norm ?? Infinity;
  const norm = Math.sqrt(gradient.reduce((sum, { weight, bias }) => sum + squares(weight) + squares(bias), 0));
  const factor = Math.min(1, most / norm);
  const steps = ++training.adamSteps;
  const [first, second] = [1 - 0.9 ** steps, 1 - 0.999 ** steps];
  [...training.actor, ...training.critic].forEach((layer, l) => [layer.weight, layer.bias].forEach((parameters, j) => {
    const [mean, square] = training.moments[l][j];
    const slope = j ? gradient[l].bias : gradient[l].weight;
    for (let i = 0; i < parameters.length; i++) {
      const g = slope[i] * factor;
      mean[i] = 0.9 * mean[i] + 0.1 * g;
      square[i] = 0.999 * square[i] + 0.001 * g * g;
      parameters[i] -= (rate * (mean[i] / first)) / (Math.sqrt(square[i] / second) + 1e-5);
    }
  }));
}

function squares(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}

/** Adds the rollout's observations to the running moments (Chan, Golub and LeVeque). */
function follow(statistics, raw) {
  const rows = raw.length / INPUTS;
  const size = statistics.size + rows;
  for (let i = 0; i < INPUTS; i++) {
    let [mean, deviations] = [0, 0];
    for (let r = 0; r < rows; r++) mean += raw[r * INPUTS + i] / rows;
    for (let r = 0; r < rows; r++) deviations += (raw[r * INPUTS + i] - mean) ** 2;
    const delta = mean - statistics.mean[i];
    statistics.mean[i] += (delta * rows) / size;
    statistics.deviations[i] += deviations + (delta * delta * statistics.size * rows) / size;
  }
  statistics.size = size;
}

/** One update: a rollout, epochs of minibatches, and the returns of the episodes that ended. */
export function updateTraining(training) {
  const { ppo, annealingUpdates } = training.task;
  const rollout = collect(training);
  const judged = judge(training, rollout);
  const batch = rollout.action.length;
  const rate = ppo.learning_rate * (ppo.anneal ? 1 - training.updates / annealingUpdates : 1);
  for (let epoch = 0; epoch < ppo.epochs; epoch++) {
    const places = shuffled(training.random, batch);
    const size = batch / ppo.minibatches;
    for (let m = 0; m < ppo.minibatches; m++) descend(training, gradientOf(training, rollout, judged, places.subarray(m * size, (m + 1) * size)), rate);
  }
  follow(training.statistics, rollout.raw);
  training.updates += 1;
  return { steps: training.updates * batch, returns: rollout.returns };
}

/** The mean return of greedy episodes, each from a start of its own; as many as there are environments. */
export function evaluateTraining(training) {
  const { task, single } = training;
  const width = task.ppo.num_envs;
  const episodes = Array.from({ length: width }, () => ({ ...training.fresh(), alive: true }));
  const now = new Float64Array(width * INPUTS);
  while (episodes.some(({ alive }) => alive)) {
    episodes.forEach(({ cart }, e) => view(training, cart, now, e * INPUTS));
    const logits = single.forward(now, width);
    episodes.forEach((episode, e) => {
      if (!episode.alive) return;
      const { cells, readout } = respond(task, episode.cells, episode.cart);
      const action = chooseAction(BLEND[task.blend](logits.subarray(e * CHOICES, (e + 1) * CHOICES), readout, task.weight));
      episode.cart = moveCart(task.constants, episode.cart, action);
      episode.cells = cells;
      episode.total += 1;
      episode.alive = !hasFallen(task.constants, episode.cart) && episode.total < task.constants.timeLimit;
    });
  }
  return episodes.reduce((sum, { total }) => sum + total, 0) / width;
}

/** A whole run: a point of its curve after every `interval` updates. */
export function* runTraining(task, seed) {
  const training = makeTraining(task, seed);
  let returns = [];
  while (training.updates < task.updates) {
    returns.push(...updateTraining(training).returns);
    if (training.updates % task.interval) continue;
    const sampled = returns.length ? returns.reduce((a, b) => a + b, 0) / returns.length : null;
    yield { steps: training.updates * task.ppo.num_envs * task.ppo.rollout_steps, greedy: evaluateTraining(training), sampled };
    returns = [];
  }
}

/** What a worker does: trains the runs that it is sent, a point of each in turn, and reports every point. */
export function serveTraining() {
  self.onmessage = ({ data: { tasks, runs } }) => {
    let open = runs.map(({ arm, seed }) => ({ arm, seed, run: runTraining(tasks[arm], seed) }));
    while (open.length) {
      open = open.filter(({ arm, seed, run }) => {
        const { value: point, done } = run.next();
        if (!done) self.postMessage({ arm, seed, point });
        return !done;
      });
    }
    self.postMessage({ done: true });
  };
}
